"""A group on the simulated WhatsApp that a house's number has made, for tests of groups."""

from typing import Any

from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually


class Circle:
    """A group that a house's number has made, and the people in it."""

    def __init__(self, house: SessionHouse, session: str, people: list[str], group: str) -> None:
        self.house, self.session, self.people, self.group = house, session, people, group

    @property
    def path(self) -> str:
        """Its address in the API."""
        return f"/v1/groups/{self.group}"

    async def call(self, verb: str, path: str = "", body: object = None) -> Any:
        """A REST call about it that must succeed."""
        return await self.house.call(verb, self.path + path, body)

    async def code(self, verb: str, path: str = "", body: object = None) -> str:
        """The code of a call that is refused."""
        answer = await self.house.rest.ask(verb, self.path + path, body)
        assert answer.status >= 400, answer.body
        return str(answer.body["code"])

    async def on_phones(self, action: str, **body: object) -> Any:
        """What people do on their phones."""
        return await self.house.simulator.call("POST", f"/groups/{self.group}:{action}", body)

    async def at_server(self) -> dict[str, Any]:
        """The group as the server has it."""
        found: dict[str, Any] = await self.house.simulator.call("GET", f"/groups/{self.group}")
        return found

    async def told(self, type_: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many events of a type about the group."""

        async def look() -> list[dict[str, Any]]:
            found = [
                event
                for event in await self.house.events(self.session, type_)
                if event["group"]["id"] == self.group
            ]
            return found if len(found) >= count else []

        found: list[dict[str, Any]] = await eventually(look)
        return found


async def make_circle(house: SessionHouse, people: int = 2) -> Circle:
    """Link a number that makes a group with so many people on virtual phones."""
    session = await house.link()
    numbers = [house.servers.new_number() for _ in range(people)]
    for number in numbers:
        await house.simulator.create_phone(number)
    made = await house.call("POST", "/v1/groups", {"subject": "Order 7", "participants": numbers})
    assert {one["result"] for one in made["results"]} == {"DONE"}
    return Circle(house, session, numbers, made["group"]["id"])
