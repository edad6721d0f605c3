"""A worker on the named queues: `python worker.py [--long]`; `python worker.py --scheduler` puts timed jobs on them."""

import sys

from app.queue.schedule import run_scheduler
from app.queue.worker import run_worker
from wsgi import app

with app.app_context():
    if "--scheduler" in sys.argv:
        run_scheduler()
    elif "--long" in sys.argv:
        run_worker(queues=("long",), forking=True)
    else:
        run_worker(queues=("high", "default"))
