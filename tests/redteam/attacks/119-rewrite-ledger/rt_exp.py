# @include:attempt@

import sqlite3


def rewrite():
    ledger = sqlite3.connect("@ledger@", timeout=1)
    with ledger:
        ledger.execute("update observations set digest = 'forged'")
    ledger.close()


attempt(rewrite)
