"""How strong the checks are: changed programs, and whether a check notices the change.

==============  ===================================================================================
module          what it holds
==============  ===================================================================================
source          the text of a program, and the places at which it can be changed
generic, field  operators: those that suit any program, those of our field
keeping         operators: results that a program keeps between calls
forks           calls in forks of this process, under limits
deciding        decisions from observations that are made when they are asked for, bare
exploring       what a program does before it is changed
calling         calls of its functions, from all of the domain
answers         requests and answers, kept to be compared
trying          what becomes of a change: caught, refused, equivalent, or a survivor
equivalents     the survivors that equivalent.yaml excuses
strength        all changes of all honest programs of a task
page            the tables of mutants
rewriting       operators that change nothing but how a value is computed
honesty         known mistakes and honest rewritings under many keys
keys_page       the table of these
==============  ===================================================================================
"""
