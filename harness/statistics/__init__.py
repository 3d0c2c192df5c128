"""The statistics of the grader: pure functions of arrays, each with a measured error rate.

Every statistic comes in two halves. ``summarise…`` turns raw arrays into the small dictionary of
arrays that is stored as an observation; ``…_stage`` decides from that dictionary alone, so that a
stored observation can be judged again years later with the same answer.

==================  ==============================================================================
module              what it decides
==================  ==============================================================================
exact               a value equals its target up to rounding
moments             mean and variance under an enumerated or quadrature law
unbiased            every coordinate of a mean equals its target
looks               the same in looks: a bias is established, or its absence, or neither
distribution        draws follow a continuous law
chi_square          draws follow a table of probabilities
tails               far draws are as many as the law has
independence        coordinates of draws are uncorrelated
dependence          draws are independent at every lag, in values and in magnitudes
variance_ratio      one total variance stays below a multiple of another, on the same draws
likelihood          negative log-likelihoods against a floor and against a margin
returns             credit for a mean return, and its interval
sequential          training succeeds on enough seeds, with as few as the error rates allow
permutation         the mean of a fixed number of runs is not worse than that of stored ones
equivalence         every coordinate of a mean is established to be within a margin
two_stage           what two independent stages say together
ranking             who of many is better than whom, with ranks and letters
==================  ==============================================================================

Underneath: ``outcome`` (what a stage returns), ``inputs`` (what is demanded of arguments) and
``laws`` (quantiles, tails and power; the one module that calls scipy). Importing this package
imports none of them.
"""
