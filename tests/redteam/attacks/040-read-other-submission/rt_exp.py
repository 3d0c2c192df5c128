# @include:attempt@

attempt(lambda: open("@other_submission@").read())
