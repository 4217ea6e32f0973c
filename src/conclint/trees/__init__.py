"""Trees of libcst's nodes, built from Python's own, which take a fraction of the time.

They have the syntax and no whitespace, punctuation or comments: enough to understand a program, too little to change
it. `tests/test_trees.py` compares them with those of libcst's parser, node by node and place by place.
"""
