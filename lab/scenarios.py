"""All scenarios, in the order in which they are played: each module registers its own when it is imported."""

from importlib import import_module

from scenario import SCENARIOS

for _part in ('close', 'open', 'reset', 'life', 'form'):
    import_module(f'scenarios_{_part}')

__all__ = ['SCENARIOS']
