"""OpenAI's protocol: files, and batches that answer their lines as single calls are answered."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from clio.testing.state import RefusedError, Reply, Request, Server, made_id, packed, page, quoted

#: answers a single call: the server, the address, the body
Call = Callable[[Server, str, bytes], Reply]


def respond(server: Server, request: Request, call: Call) -> Reply | None:
    """Answer a request about files or batches, or None if it is about something else."""
    match [request.method, *request.path.rstrip("/").split("/")[2:]]:
        case ["POST", "files"]:
            return Reply(200, _upload(server, request))
        case ["GET", "files", name]:
            return Reply(200, _file(server, name)[0])
        case ["GET", "files", name, "content"]:
            return Reply(200, _file(server, name)[1], {"Content-Type": "application/octet-stream"})
        case ["DELETE", "files", name]:
            _file(server, name)
            del server.files[name]
            return Reply(200, {"id": name, "object": "file", "deleted": True})
        case ["POST", "batches"]:
            return Reply(200, _create(server, json.loads(request.body), call))
        case ["GET", "batches"]:
            return Reply(200, _list(server, request.query))
        case ["GET", "batches", name]:
            return Reply(200, _batch(server, name))
        case ["POST", "batches", name, "cancel"]:
            return Reply(200, _cancel(server, _batch(server, name)))
    return None


def _upload(server: Server, request: Request) -> dict[str, Any]:
    """Keep a file that came as a form."""
    boundary = re.search(r'boundary="?([^";]+)', request.headers.get("content-type", ""))
    if not boundary:
        raise RefusedError("Expected a multipart form")
    fields: dict[str, tuple[str, bytes]] = {}
    for part in request.body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        told = dict(re.findall(r'(\w+)="([^"]*)"', head.decode(errors="replace")))
        fields[told["name"]] = told.get("filename", ""), content.removesuffix(b"\r\n")
    for name in ("file", "purpose"):
        if name not in fields:
            raise RefusedError(f"Missing required parameter: '{name}'.", param=name)
    purpose = fields["purpose"][1].decode()
    if purpose == "batch" and not fields["file"][0].endswith(".jsonl"):
        raise RefusedError("Invalid file format for Batch API. Must be .jsonl", param="file")
    return _keep(server, fields["file"][0], fields["file"][1], purpose)


def _keep(server: Server, filename: str, content: bytes, purpose: str) -> dict[str, Any]:
    """Put a file on the shelf."""
    shown = {
        "id": made_id("file-", server.seed, len(server.files), server.requests, filename),
        "object": "file",
        "bytes": len(content),
        "created_at": int(time.time()),
        "expires_at": None,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
        "status_details": None,
    }
    server.files[str(shown["id"])] = shown, content
    return shown


def _file(server: Server, name: str) -> tuple[dict[str, Any], bytes]:
    """A file on the shelf."""
    if name not in server.files:
        raise RefusedError(f"No such File object: {name}", status=404, param="id")
    return server.files[name]


def _batch(server: Server, name: str) -> dict[str, Any]:
    """A batch job by its id."""
    if name not in server.openai_jobs:
        raise RefusedError(f"No batch found with id '{name}'.", status=404)
    return server.openai_jobs[name]


def _list(server: Server, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the batch jobs, newest first."""
    found, more = page(list(server.openai_jobs.values()), int(query.get("limit", 20)), query.get("after"))
    ends = {"first_id": found[0]["id"], "last_id": found[-1]["id"]} if found else {}
    return {"object": "list", "data": found, **ends, "has_more": more}


def _create(server: Server, asked: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """Begin a batch job."""
    if asked.get("endpoint") not in {"/v1/chat/completions", "/v1/embeddings"}:
        raise RefusedError(f"Invalid value: {asked.get('endpoint')!r}", param="endpoint")
    if asked.get("completion_window") != "24h":
        raise RefusedError("Invalid value: 'completion_window' must be '24h'", param="completion_window")
    if asked["input_file_id"] not in server.files:
        raise RefusedError(f"Invalid file: {asked['input_file_id']}", param="input_file_id")
    now = int(time.time())
    job: dict[str, Any] = {
        "id": made_id("batch_", server.seed, server.batches, asked["input_file_id"]),
        "object": "batch",
        "endpoint": asked["endpoint"],
        "model": None,
        "errors": None,
        "input_file_id": asked["input_file_id"],
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now,
        "in_progress_at": None,
        "expires_at": now + 24 * 3600,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": asked.get("metadata"),
    }
    steps = ("finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
    job.update({f"{step}_at": None for step in steps})
    server.openai_jobs[job["id"]] = job
    server.batches += 1
    server.cancelled[job["id"]] = asyncio.Event()
    server.work(_work(server, job, server.files[asked["input_file_id"]][1], call))
    return dict(job)


def _cancel(server: Server, job: dict[str, Any]) -> dict[str, Any]:
    """Ask a batch job to stop."""
    if job["status"] not in {"validating", "in_progress", "cancelling"}:
        raise RefusedError(f"Cannot cancel a batch with status '{job['status']}'.", status=409)
    _step(job, "cancelling")
    server.cancelled[job["id"]].set()
    return dict(job)


def _step(job: dict[str, Any], status: str) -> None:
    """Move a batch job on."""
    job.update({"status": status, f"{status}_at": int(time.time())})


async def _work(server: Server, job: dict[str, Any], content: bytes, call: Call) -> None:
    """Answer a batch job's lines after its delay, each as a single call is answered."""
    lines, errors = _lines(content, job["endpoint"])
    if errors:
        _step(job, "failed")
        job["errors"] = {"object": "list", "data": errors}
        return
    counts = job["request_counts"]
    counts["total"] = len(lines)
    job["model"] = lines[0]["body"].get("model")
    if job["status"] == "validating":
        _step(job, "in_progress")
    await server.rest(job["id"])
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        if number % 50 == 0:
            await asyncio.sleep(0)  # others want to be served too
        if job["status"] == "cancelling":
            break
        reply = call(server, job["endpoint"], packed(line["body"]))
        server.book(reply)
        good = reply.status == 200 and reply.broken is None
        counts["completed" if good else "failed"] += 1
        (done if good else failed).append(_result(job["id"], line["custom_id"], reply))
    if job["status"] == "cancelling":
        _step(job, "cancelled")
    else:
        expired = any(line["response"] is None for line in failed)
        _step(job, "finalizing")
        _step(job, "expired" if expired else "completed")
    used = [line["response"]["body"]["usage"] for line in done]
    if used:
        job["usage"] = {
            "input_tokens": sum(one["prompt_tokens"] for one in used),
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": sum(one.get("completion_tokens", 0) for one in used),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sum(one["total_tokens"] for one in used),
        }
    for key, kept in (("output_file_id", done), ("error_file_id", failed)):
        if kept:
            # in another order than they were asked, as the reference warns
            kept.sort(key=lambda line: made_id("", line["custom_id"]))
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
            name = f"{job['id']}_{key.removesuffix('_file_id')}.jsonl"
            job[key] = _keep(server, name, text.encode(errors="replace"), "batch_output")["id"]


def _lines(content: bytes, endpoint: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines of an input file, and what is wrong with it."""
    lines: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, text in enumerate(content.splitlines(), 1):
        code = None
        try:
            line = json.loads(text)
            if line["custom_id"] in seen:
                code = "duplicate_custom_id"
            elif line["url"] != endpoint or line["method"] != "POST":
                code = "invalid_url" if line["method"] == "POST" else "invalid_method"
            elif lines and line["body"]["model"] != lines[0]["body"]["model"]:
                code = "mismatched_model"
            seen.add(line["custom_id"])
            lines.append(line)
        except (ValueError, KeyError, TypeError):
            code = "invalid_json_line"
        if code:
            errors.append(
                {"code": code, "line": number, "message": f"wrong line: {quoted(text)}", "param": None}
            )
    if not lines and not errors:
        errors = [{"code": "empty_file", "line": None, "message": "The batch file is empty", "param": None}]
    return lines, errors


def _result(job: str, custom_id: str, reply: Reply) -> dict[str, Any]:
    """A line of an output or error file."""
    name = made_id("batch_req_", job, custom_id)
    response = {
        "status_code": reply.status,
        "request_id": made_id("req_", job, custom_id),
        "body": reply.said,
    }
    if reply.broken is None:
        return {"id": name, "custom_id": custom_id, "response": response, "error": None}
    late = "This request could not be executed before the completion window expired."
    error = {"code": "batch_expired", "message": late}
    return {"id": name, "custom_id": custom_id, "response": None, "error": error}
