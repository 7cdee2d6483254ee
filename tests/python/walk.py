"""Walks through the API of doudi as a client in another language: stubs from proto/, real calls.

usage: walk.py PROTO_FOLDER HOST:PORT   with tokens in TOKEN_<ROLE>
"""

import datetime
import os
import pathlib
import sys
import tempfile
import uuid

import grpc
from grpc_tools import protoc


def make_stubs(proto: pathlib.Path, folder: str) -> None:
    """Generates the stubs and makes them importable."""
    include = pathlib.Path(protoc.__file__).parent / "_proto"
    files = sorted(str(file) for file in proto.glob("doudi/v1/*.proto"))
    code = protoc.main(
        ["", f"-I{proto}", f"-I{include}", f"--python_out={folder}", f"--grpc_python_out={folder}", *files]
    )
    assert code == 0, "the protos do not compile"
    sys.path.insert(0, folder)


def bearer(role: str) -> list[tuple[str, str]]:
    return [("authorization", "Bearer " + os.environ["TOKEN_" + role.upper()])]


def refused(call, code: grpc.StatusCode) -> grpc.RpcError:
    """Insists that a call is refused with `code`."""
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()} instead of {code}: {error.details()}"
        return error
    raise AssertionError(f"the call was not refused with {code}")


def walk(address: str) -> None:
    from doudi.v1 import common_pb2, enterprise_pb2, enterprise_pb2_grpc, frequency_pb2
    from doudi.v1 import inspection_pb2, inspection_service_pb2, inspection_service_pb2_grpc
    from doudi.v1 import timeline_pb2, timeline_pb2_grpc

    def command() -> str:
        return str(uuid.uuid4())

    channel = grpc.insecure_channel(address)
    enterprises = enterprise_pb2_grpc.EnterpriseServiceStub(channel)
    inspections = inspection_service_pb2_grpc.InspectionServiceStub(channel)
    timelines = timeline_pb2_grpc.TimelineServiceStub(channel)
    enterprise = "91210212DD0000003K"

    registered = enterprises.RegisterEnterprise(
        enterprise_pb2.RegisterEnterpriseRequest(
            command_id=command(), enterprise_id=enterprise.lower(), name="示例樱桃食品有限公司", area="210212"
        ),
        metadata=bearer("admin"),
    )
    assert registered.check_digit_correct

    # The server's civil date is that of Shanghai.
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
    plan = inspection_service_pb2.PlanVisitRequest(
        command_id=command(),
        enterprise_id=enterprise,
        officers=["LNB-0001", "LNB-0002"],
        items=["SC-0101"],
        ground=frequency_pb2.GROUND_ROUTINE,
        planned_on=common_pb2.Date(year=today.year, month=today.month, day=today.day),
    )
    planned = inspections.PlanVisit(plan, metadata=bearer("unit_head"))
    assert inspections.PlanVisit(plan, metadata=bearer("unit_head")) == planned, "not idempotent"

    explained = inspections.ExplainPlan(
        inspection_service_pb2.ExplainPlanRequest(
            enterprise_id=enterprise,
            officers=plan.officers,
            items=plan.items,
            ground=plan.ground,
            planned_on=plan.planned_on,
        ),
        metadata=bearer("unit_head"),
    )
    assert explained.verdict == inspection_pb2.PLAN_VERDICT_REFUSED, explained
    assert explained.reason == "CAP_REACHED" and explained.quotas[0].frees_on.year == today.year + 1, explained

    plan.command_id = command()
    error = refused(
        lambda: inspections.PlanVisit(plan, metadata=bearer("unit_head")), grpc.StatusCode.RESOURCE_EXHAUSTED
    )
    trailers = {key: value for key, value in error.trailing_metadata()}
    details = trailers["grpc-status-details-bin"]
    assert b"CAP_REACHED" in details and planned.visit_id.encode() in details, details

    plan.ground = frequency_pb2.GROUND_UNSPECIFIED
    refused(lambda: inspections.PlanVisit(plan, metadata=bearer("unit_head")), grpc.StatusCode.INVALID_ARGUMENT)
    refused(lambda: inspections.PlanVisit(plan), grpc.StatusCode.UNAUTHENTICATED)
    refused(lambda: inspections.PlanVisit(plan, metadata=bearer("auditor")), grpc.StatusCode.PERMISSION_DENIED)

    page = timelines.ListTimeline(
        timeline_pb2.ListTimelineRequest(enterprise_id=enterprise, min_position=planned.receipt.position),
        metadata=bearer("supervisor"),
    )
    assert [entry.event_type for entry in page.entries] == ["VisitPlanned", "EnterpriseRegistered"], page
    print("walk: ok")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_stubs(pathlib.Path(sys.argv[1]).resolve(), folder)
        walk(sys.argv[2])
