"""`python -m vrsdk.distill.bank [FILE...]`: check the files, or the whole phrase bank, and count what they hold."""

import sys
from pathlib import Path

from vrsdk.distill.bank import BankError, load, read
from vrsdk.runtime.card import LANGUAGES

files = sys.argv[1:]
try:
    for path in files:
        print(f"{path}: {len(list(read(Path(path))))} tables, nothing wrong")
    for language in () if files else LANGUAGES:
        bank = load(language)
        lines = sum(len(a.lines) + len(a.then) for f in bank.facts for a in f.asks)
        chats = sum(len(many) for many in bank.chats.values()) + sum(len(s.chats) for s in bank.scenes)
        print(f"{language}: {len(bank.facts)} facts with {lines} ways to ask, {chats} chats, {len(bank.scenes)} scenes")
except (BankError, OSError) as error:
    sys.exit(str(error))
