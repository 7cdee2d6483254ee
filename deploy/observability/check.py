"""Checks the dashboard with tools of Grafana and Prometheus: every field against the types of Grafana's
foundation SDK, every query with promtool's parser.

    check.py PROMTOOL [SDK]     SDK is a folder with node_modules; without it, queries are checked only
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

DASHBOARD = Path(__file__).with_name("dashboard.json")

# Grafana's types name enumerations where JSON has their texts, and a marker that no JSON has.
PLAIN = """
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
type Plain<T> = 0 extends 1 & T ? T : T extends string ? `${T}` : T extends number | boolean | null ? T
    : T extends (infer E)[] ? Plain<E>[]
    : { [K in keyof T as K extends `_${string}` ? never : K]: Plain<T[K]> };
"""


def queries(panels):
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def rules(panels):
    """The queries as recording rules, which is what promtool reads."""
    exprs = [expr.replace("$__rate_interval", "5m").replace("$instance", ".*") for expr in queries(panels)]
    listed = [{"record": f"checked:{i}", "expr": expr} for i, expr in enumerate(exprs)]
    # JSON is YAML.
    return json.dumps({"groups": [{"name": "dashboard", "rules": listed}]})


def typed(board):
    """A program that compiles only if each part has the type that Grafana gives it."""
    panels = board.pop("panels")
    parts = [("dashboard.Dashboard", board)]
    for panel in panels:
        if panel["type"] == "row":
            parts.append(("dashboard.RowPanel", panel))
            continue
        kind = panel["type"]
        parts.append((f"{kind}.Options", panel.pop("options")))
        parts += [("prometheus.dataquery", target) for target in panel.pop("targets")]
        custom = panel["fieldConfig"]["defaults"].pop("custom", None)
        if custom is not None:
            parts.append((f"{kind}.FieldConfig", custom))
        parts.append(("dashboard.Panel", panel))
    lines = [
        f"export const part{i}: Plain<{kind}> = {json.dumps(value)};" for i, (kind, value) in enumerate(parts)
    ]
    return PLAIN + "\n".join(lines) + "\n"


def main(promtool, sdk=None):
    board = json.loads(DASHBOARD.read_text())
    panels = board["panels"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "dashboard.yml")
        file.write_text(rules(panels))
        subprocess.run([promtool, "check", "rules", file], check=True)
        if sdk is None:
            print("the SDK of Grafana is not at hand; the dashboard's fields are not checked")
            return
        modules = Path(sdk, "node_modules").resolve()
        Path(folder, "node_modules").symlink_to(modules)
        Path(folder, "dashboard.ts").write_text(typed(board))
        flags = "--noEmit --strict --skipLibCheck --module nodenext --moduleResolution nodenext --pretty false"
        subprocess.run(
            [modules / ".bin/tsc", *flags.split(), "dashboard.ts"], cwd=folder, check=True
        )
        print(f"dashboard.json: {len(panels)} panels are as Grafana's types say")


if __name__ == "__main__":
    main(*sys.argv[1:])
