#!/usr/bin/env python3
"""Runs workspaces_client.py, an unmodified MLflow client, in two workspaces of one server, as a user of each.

One is chosen by MLFLOW_WORKSPACE and one by mlflow.set_workspace(). After that: the administrator's view of each, deletion in each
of its modes, and a server without the switch, which refuses and has what is in `default` only.
"""

import json

from harness import Failed, Folder, Server, check, entries, main, run_client


def work(server, token, *arguments, **more):
    """What the client says of what it made."""
    said = run_client(server, "workspaces_client.py", *arguments, MLFLOW_TRACKING_TOKEN=token, **more)
    return json.loads(said.strip().splitlines()[-1])


def script():
    with Folder() as folder, Server(folder, arguments=["--workspaces"]) as server:
        server.start()
        admin = server.client()
        root = "/api/3.0/mlflow/workspaces"
        tokens = {}
        for team in ["team-a", "team-b"]:
            answer = admin.ask("POST", root, {"name": team})
            check(f"made {team}", answer.status, 201)
            rights = [("MANAGE", f"workspace:{team}"), ("MANAGE", f"{team}/experiment:*"), ("MANAGE", f"{team}/registered-model:*")]
            _, tokens[team] = server.user(f"user-of-{team}", *rights)
        admin.close()
        first = work(server, tokens["team-a"], "team-a", MLFLOW_WORKSPACE="team-a")
        print("ok      a team works in its workspace, by MLFLOW_WORKSPACE")
        second = work(server, tokens["team-b"], "team-b", json.dumps(first))
        print("ok      another in its own, by mlflow.set_workspace(), with the same names; nothing of the first is there for it")
        admin = server.client()
        mine = [entry["event"] for entry in entries(admin) if entry["event"].get("in_workspace")]
        check("workspaces in the ledger", {event["in_workspace"] for event in mine}, {"team-a", "team-b"})
        for team, made in [("team-a", first), ("team-b", second)]:
            for place, wanted in [("team-a", team == "team-a"), ("team-b", team == "team-b"), ("default", False)]:
                path = f"/api/2.0/mlflow/runs/get?run_id={made['run']}"
                answer = admin.ask("GET", path, headers={"X-MLFLOW-WORKSPACE": place})
                check(f"{team}'s run in {place}", answer.status == 200, wanted)
        print("ok      the administrator finds each in its workspace, and the ledger says where")
        check("not empty", admin.ask("DELETE", f"{root}/team-a").status, 400)
        check("cascade", admin.ask("DELETE", f"{root}/team-a?mode=CASCADE").status, 204)
        check("to default", admin.ask("DELETE", f"{root}/team-b?mode=SET_DEFAULT").status, 204)
        check("moved", admin.ask("GET", f"/api/2.0/mlflow/runs/get?run_id={second['run']}").status, 200)
        check("gone", admin.ask("GET", f"/api/2.0/mlflow/runs/get?run_id={first['run']}").status, 404)
        admin.close()
        server.stop()
        server.verify_ledger()
        print("ok      one is deleted with what was in it, the other moved to default; the ledger is whole")
        server.arguments.clear()
        server.start()
        admin = server.client()
        answer = admin.ask("GET", "/api/2.0/mlflow/experiments/search?max_results=5", headers={"X-MLFLOW-WORKSPACE": "default"})
        check("refused without the switch", (answer.status, answer.json()["error_code"]), (400, "FEATURE_DISABLED"))
        admin.close()
        server.stop()
        print("ok      a server without the switch refuses to be asked for a workspace")


if __name__ == "__main__":
    main(script)
