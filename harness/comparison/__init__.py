"""Other published grading schemes beside ours, on the same honest programs and the same mistakes.

Every scheme is written from its published description and judges arrays alone, so that the rate at
which it fails honest work and the rate at which it finds a mistake can be counted by grading the
same stored draws or training runs many times over. No mark ever comes of it.

==================  ==============================================================================
module              what it holds
==================  ==============================================================================
scheme              what a scheme is
schemes             allclose, all seeds must pass, Welch's t, reference convergence points
stochasticgrade     StochasticGrade's scorers and its spending of the false rejection rate
ours                the check kinds of this harness, as schemes
pools               stored training runs; draws that are measured on demand
gradings            many gradings, counted; one stored reference against another
contests            which programs and which schemes meet on a check
table               what came of it as Markdown
run                 all of it: from tasks to rows
==================  ==============================================================================
"""
