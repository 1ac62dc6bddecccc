import vrsdk
from vrsdk import xr

runtime = vrsdk.Runtime()  # the model that comes with vrsdk, loaded in the background
mira = runtime.npc("demos/cards/mira.toml")
reply = mira.say("How much is a room?")  # returns at once

with xr.open_session("my game") as session:  # the mock headset, at 90 Hz
    for frame in session.frames():
        runtime.grant(frame.slack)  # seconds the model may use before the next frame
        for event in reply.poll():  # what has arrived since the last frame; never waits
            match event:
                case vrsdk.Emotion(name):
                    print(f"[{name}]", end=" ")
                case vrsdk.Text(piece):
                    print(piece, end="", flush=True)
                case vrsdk.Action(name):
                    print(f" *{name}*", end="")
                case vrsdk.Done(source, timing):
                    print(f"  ({source}, {timing.tokens} tokens, {session.missed} frames missed)")
                    session.request_exit()
runtime.close()
