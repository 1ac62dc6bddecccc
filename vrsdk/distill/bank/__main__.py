"""`python -m vrsdk.distill.bank`: check every file of the phrase bank and count what it holds."""

import sys

from vrsdk.distill.bank import BankError, load
from vrsdk.runtime.card import LANGUAGES

try:
    for language in LANGUAGES:
        bank = load(language)
        lines = sum(len(a.lines) + len(a.then) for f in bank.facts for a in f.asks)
        chats = sum(len(many) for many in bank.chats.values())
        print(f"{language}: {len(bank.facts)} facts with {lines} ways to ask, {chats} chats")
except BankError as error:
    sys.exit(str(error))
