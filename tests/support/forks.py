"""Processes that begin at once: forked from a server that has loaded what they need and does nothing else."""

import multiprocessing
from multiprocessing.context import ForkServerContext

_LOADED = ["tests.support.objects_child", "tests.support.publish_child", "boto3", "s3transfer.manager"]


def forking() -> ForkServerContext:
    """What makes such processes. There is one server for all tests, so it loads what any of them needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context
