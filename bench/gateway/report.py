"""Turns the results of a run into a Markdown table."""
import collections
import math
import statistics

ROWS = {
    "json": "JSON, 32 connections",
    "rate": "JSON, 1,000 requests/s",
    "prompt": "prompts of 1 MB, 8 connections",
    "flood": "32 streams, 0 ms",
    "paced": "200 streams × 20 ms",
    "crowd": "4,000 streams × 100 ms, each once",
    "abort": "client leaves mid-stream",
    "silent": "client leaves in a silent prefill",
}


def per_request(result):
    return 1e6 * result["cpu_s"] / max(1, result["completed"] + result["failed"])


def per_chunk(result):
    return 1e6 * result["cpu_s"] / max(1, result["chunks"])


def milliseconds(name, quantile):
    return lambda result: result[name][quantile] / 1000


def usual_delay(result):
    delay = result["delay_us"]
    return delay["p50"] / 1000 if delay["count"] else math.inf


def slowest(result):
    return math.inf if result["missed"] else result["delay_us"]["max"] / 1000


# Row, measure, how to read it from a result, decimals, needs a process to watch, budget for hal0 ÷ nginx or None.
MEASURES = [
    ("json", "requests/s", lambda r: r["per_second"], 0, False, (">=", 0.6)),
    ("json", "CPU µs/request", per_request, 1, True, None),
    ("json", "p50 ms", milliseconds("latency_us", "p50"), 2, False, None),
    ("json", "p99 ms", milliseconds("latency_us", "p99"), 2, False, None),
    ("rate", "CPU µs/request", per_request, 1, True, None),
    ("rate", "p50 ms", milliseconds("latency_us", "p50"), 2, False, None),
    ("rate", "p99 ms", milliseconds("latency_us", "p99"), 2, False, ("<=", 1.0)),
    ("prompt", "requests/s", lambda r: r["per_second"], 0, False, None),
    ("prompt", "CPU ms/request", lambda r: per_request(r) / 1000, 2, True, None),
    ("prompt", "p99 ms", milliseconds("latency_us", "p99"), 1, False, None),
    ("prompt", "most memory so far, MB", lambda r: r["memory_mb"], 0, True, None),
    ("flood", "chunks/s", lambda r: r["chunks_per_second"], 0, False, (">=", 0.8)),
    ("flood", "CPU µs/chunk", per_chunk, 2, True, None),
    ("paced", "CPU s per 1M chunks", per_chunk, 1, True, ("<=", 1.5)),
    ("paced", "first chunk p50 ms", milliseconds("first_us", "p50"), 2, False, None),
    ("paced", "first chunk p99 ms", milliseconds("first_us", "p99"), 2, False, None),
    ("paced", "gap p50 ms", milliseconds("gap_us", "p50"), 2, False, None),
    ("paced", "gap p99 ms", milliseconds("gap_us", "p99"), 2, False, None),
    ("paced", "transit p50 ms", milliseconds("transit_us", "p50"), 3, False, None),
    ("paced", "transit p99 ms", milliseconds("transit_us", "p99"), 2, False, None),
    ("crowd", "streams complete", lambda r: r["completed"], 0, False, (">=", 1.0)),
    ("crowd", "chunks/s", lambda r: r["chunks_per_second"], 0, False, None),
    ("crowd", "first chunk p50 ms", milliseconds("first_us", "p50"), 1, False, None),
    ("crowd", "first chunk p99 ms", milliseconds("first_us", "p99"), 1, False, None),
    ("crowd", "transit p99 ms", milliseconds("transit_us", "p99"), 2, False, None),
    ("crowd", "CPU s per 1M chunks", per_chunk, 1, True, None),
    ("abort", "upstream sees it, p50 ms", usual_delay, 2, False, None),
    ("abort", "slowest ms", slowest, 2, False, None),
    ("silent", "upstream sees it, p50 ms", usual_delay, 2, False, None),
    ("silent", "slowest ms", slowest, 2, False, None),
]

# What has to be no larger than this, whatever nginx does.
MOST = {("abort", "slowest ms"): 5, ("silent", "slowest ms"): 5}
MOST_ADDED_MS = 0.2


def number(value, decimals):
    if math.isinf(value):
        return "never"
    return f"{value:,.{decimals}f}"


def spread(values, decimals):
    if len(values) == 0:
        return "–"
    middle = number(statistics.median(values), decimals)
    if len(values) == 1:
        return middle
    return f"{middle} [{number(min(values), decimals)}–{number(max(values), decimals)}]"


def verdict(met):
    return "met" if met else "**missed**"


def read_values(results, row, read, name, needs_process):
    """None where a round had nothing to read, so that rounds stay aligned between candidates."""
    values = []
    for result in results[row].get(name, []):
        empty = needs_process and result["memory_mb"] == 0
        values.append(None if empty else read(result))
    return values


def ratios(above, below):
    """Round by round: what slows the machine down for a while slows both."""
    return [a / b for a, b in zip(above, below) if a is not None and b and not math.isinf(b)]


def budget_text(row, measure, budget, ratio, values):
    if budget and ratio:
        sign, limit = budget
        middle = statistics.median(ratio)
        met = middle >= limit if sign == ">=" else middle <= limit
        return f"{'≥' if sign == '>=' else '≤'} {limit:g} × nginx: {verdict(met)}"
    if (row, measure) in MOST:
        limit = MOST[row, measure]
        present = [value for value in values if value is not None]
        return f"≤ {limit} ms: {verdict(bool(present) and max(present) <= limit)}"
    return ""


def table(results, names):
    subject, reference = (names[-1], "nginx") if "hal0" in names else ("nginx", "direct")
    head = ["what", "measure", *names, f"{subject} ÷ {reference}"]
    if subject == "hal0":
        head.append("budget")
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    previous = None
    for row, measure, read, decimals, needs_process, budget in MEASURES:
        if row not in results:
            continue
        values = {name: read_values(results, row, read, name, needs_process) for name in names}
        ratio = ratios(values[subject], values[reference])
        title = ROWS[row] if row != previous else ""
        previous = row
        cells = [title, measure]
        cells += [spread([v for v in values[name] if v is not None], decimals) for name in names]
        cells.append(spread(ratio, 2))
        if subject == "hal0":
            cells.append(budget_text(row, measure, budget, ratio, values["hal0"]))
        lines.append("| " + " | ".join(cells) + " |")
    if "rate" in results:
        lines.append(added_line(results, names, subject == "hal0"))
    lines += ["", *notes(results, names)]
    return lines


def added_line(results, names, with_budget):
    def p50(name):
        return [result["latency_us"]["p50"] / 1000 for result in results["rate"][name]]

    cells = ["added to direct at 1,000 requests/s", "p50 ms"]
    added = []
    for name in names:
        added = [mine - direct for mine, direct in zip(p50(name), p50("direct"))]
        cells.append("–" if name == "direct" else spread(added, 2))
    cells.append("–")
    if with_budget:
        cells.append(f"≤ {MOST_ADDED_MS} ms: {verdict(statistics.median(added) <= MOST_ADDED_MS)}")
    return "| " + " | ".join(cells) + " |"


def notes(results, names):
    lines = []
    for name in names:
        trouble = collections.Counter()
        for row in results:
            for result in results[row].get(name, []):
                trouble.update({f"{row}: {reason}": count for reason, count in result.get("failures", {}).items()})
                trouble[f"{row}: never sent"] += result.get("never_sent", 0)
                trouble[f"{row}: close not seen within the deadline"] += result.get("missed", 0)
                if row in ("abort", "silent"):
                    trouble[f"{row}: no answer to leave"] += result["failed"]
        told = "; ".join(f"{count} × {reason}" for reason, count in trouble.items() if count)
        lines.append(f"- {name}: {told or 'no failed request'}.")
    memory = [f"{name} {max(result['memory_mb'] for row in results for result in results[row][name]):.0f} MB"
              for name in names if any(result["memory_mb"] for row in results for result in results[row][name])]
    if memory:
        lines.append("- Most resident memory: " + ", ".join(memory) + ".")
    shares = [f"{row} {100 * statistics.median(result['machine_busy'] for name in names for result in results[row][name]):.0f} %"
              for row in results]
    stolen = max(result["machine_stolen"] for row in results for name in names for result in results[row][name])
    lines.append("- Machine busy (median): " + ", ".join(shares) + f". Stolen by the hypervisor: at most {100 * stolen:.0f} %.")
    others = [result["others_before"] for row in results for name in names for result in results[row][name]]
    lines.append(f"- Busy in the quiet moment before each measurement (other programs): median {100 * statistics.median(others):.0f} %, "
                 f"at most {100 * max(others):.0f} %.")
    return lines
