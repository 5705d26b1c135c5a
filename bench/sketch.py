"""Times classes in a page's Python blocks: WorkloadBalancer, TaskArbitrator, FederatedDecisionSystem.

Arguments: the page, and as JSON the work of each question that is asked. Prints calls a second as JSON.
"""

import json
import re
import sys
import time


def classes(page):
    """Every class of every block that runs; a block that needs what is not installed is passed by."""
    found = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S):
        scope = {"__name__": "sketch"}
        try:
            exec(block, scope)
        except (ImportError, NameError):
            continue
        found.update((name, value) for name, value in scope.items() if isinstance(value, type))
    return found


def assign(balancer_class, agents, calls):
    balancer = balancer_class()
    for i in range(agents):
        balancer.register_agent(f"a{i}", 1_000_000)
    ids = [f"t{i}" for i in range(calls)]
    began = time.perf_counter()
    for task in ids:
        balancer.assign_task(task, 1)
    return calls / (time.perf_counter() - began)


def complete(arbitrator_class, pending, calls):
    """From half of the calls above that many pending to half of them below."""
    arbitrator = arbitrator_class(5)
    total = pending + calls // 2 + 5
    for i in range(total):
        arbitrator.register_task(f"t{i}", "a", i * 7919 % 10)
    arbitrator._start_pending_tasks()
    began = time.perf_counter()
    for _ in range(calls):
        arbitrator.complete_task(next(iter(arbitrator.running_tasks)))
    return calls / (time.perf_counter() - began)


def decide(system_class, voters, calls):
    """Each agent is asked by a function that knows the answer."""
    system = system_class()
    options = ["a", "b", "c"]
    for i in range(voters):
        system.register_agent(f"a{i:04}", i)
    began = time.perf_counter()
    for _ in range(calls):
        system.make_decision("which?", options, lambda agent, question, options: options[agent % 3])
    return calls / (time.perf_counter() - began)


with open(sys.argv[1], encoding="utf8") as file:
    found = classes(file.read())
work = json.loads(sys.argv[2])
speeds = {}
if "assign" in work:
    speeds["assign"] = [assign(found["WorkloadBalancer"], one["agents"], one["calls"]) for one in work["assign"]]
if "complete" in work:
    speeds["complete"] = complete(found["TaskArbitrator"], work["complete"]["pending"], work["complete"]["calls"])
if "decide" in work:
    speeds["decide"] = decide(found["FederatedDecisionSystem"], work["decide"]["voters"], work["decide"]["calls"])
print(json.dumps(speeds))
