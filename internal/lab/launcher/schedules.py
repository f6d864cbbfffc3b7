"""A rate-based schedule without a start date invokes its target at once.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
MiniStack waits for one interval first. It also checks schedules only every 10 s.
AWS invokes within 60 s, and people who watch a lab expect less.

A schedule with a flexible time window invokes its target within that window after
the scheduled time. In a lab it does so at the end of the window.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html
"""

import threading

from ministack.services import scheduler

from hook import around

running = threading.Event()
running.set()


def install():
    scheduler._SCHEDULE_TICK_INTERVAL = 1

    @around(scheduler, "_tick_schedules")
    def tick(original):
        if not running.is_set():
            return
        for key, schedule in list(scheduler._schedules._data.items()):
            window = schedule.get("FlexibleTimeWindow", {}).get("Mode", "OFF")
            if schedule.get("ScheduleExpression", "").startswith("rate(") and schedule.get("StartDate") is None and window == "OFF":
                scheduler._schedule_last_fired.setdefault(key, 0)
        original()


def switch(state):
    """Lets schedules invoke their targets, or not. What was due meanwhile is made up for."""
    running.set() if state == "on" else running.clear()
    return {"running": running.is_set()}
