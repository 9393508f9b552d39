"""Names, environments and addresses."""

from __future__ import annotations

import re

from exconn_sync.model.enums import Channel
from exconn_sync.testing.contract import methods
from exconn_sync.testing.contract.base import ContractBase, none_of

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_KEY_TYPES = ("hmac", "rsa", "ed25519")


class NamesContract(ContractBase):
    """What the driver says of itself, and where it leads."""

    def test_the_name_is_a_plain_word(self) -> None:
        assert _NAME.fullmatch(self.driver.name), f"{self.driver.name!r}: lower-case letters, digits and underscores"

    def test_environments_begin_with_production_and_have_addresses(self) -> None:
        driver = self.driver
        assert driver.environments[0] == "production", "production comes first"
        assert len(set(driver.environments)) == len(driver.environments), "an environment stands twice"
        assert not driver.endpoints("no such environment"), "an unknown environment has no addresses"
        problems = []
        for environment in driver.environments:
            urls = driver.endpoints(environment)
            if not urls.get("rest", "").startswith("https://"):
                problems.append(f"{environment}: rest must be an https URL")
            problems += [
                f"{environment}: {name} must be an https or wss URL"
                for name, url in urls.items()
                if not url.startswith(("https://", "wss://"))
            ]
        none_of(problems)

    def test_its_own_addresses_have_the_right_form(self) -> None:
        for environment in self.driver.environments:
            for name, url in self.driver.endpoints(environment).items():
                self.driver.check_base_url(name, url)

    def test_its_own_addresses_are_spoken_to_as_the_exchange(self) -> None:
        for environment in self.driver.environments:
            chosen = self.driver.for_endpoints(self.driver.endpoints(environment))
            assert chosen.name == self.driver.name, f"{environment}: spoken to as {chosen.name}"

    def test_streams_lead_to_its_own_addresses(self) -> None:
        urls = self.driver.endpoints(self.driver.environments[0])
        hosts = {url.split("/")[2] for url in urls.values()}
        for found in (self.driver.stream_url(urls), self.driver.account_url(urls)):
            assert found.startswith("wss://"), f"{found}: streams are encrypted"
            assert found.split("/")[2] in hosts, f"{found}: not one of the endpoints"

    def test_requests_are_counted_under_a_name(self) -> None:
        urls = self.driver.endpoints(self.driver.environments[0])
        name = self.driver.budget_name(urls)
        assert name, "the name of the budgets is empty"
        assert name == self.driver.budget_name(dict(urls)), "one set of addresses has two names"
        elsewhere = self.driver.budget_name({**urls, "rest": "http://127.0.0.1:1"})
        assert elsewhere != name, "another host has counts of its own"

    def test_capabilities_speak_of_methods_that_there_are(self) -> None:
        problems = []
        for environment in self.driver.environments:
            found = self.driver.capabilities(environment)
            assert (found.exchange, found.environment) == (self.driver.name, environment)
            for name, why in (*found.missing.items(), *found.limited.items()):
                if name not in methods.ALL:
                    problems.append(f"{name}: no method of a connector")
                if not why or why.endswith("."):
                    problems.append(f"{name}: says why, without a full stop")
            problems += [f"{name}: missing and limited" for name in found.missing if name in found.limited]
            problems += [f"{kind}: no type of key" for kind in found.key_types if kind not in _KEY_TYPES]
        none_of(problems)

    def test_capabilities_have_exactly_the_channels_of_the_driver(self) -> None:
        for environment in self.driver.environments:
            found = self.driver.capabilities(environment)
            assert {Channel(word) for word in found.streams} == set(self.driver.channels)
            for channel, names in methods.OF_CHANNELS.items():
                for name in names:
                    is_offered = channel in self.driver.channels
                    assert found.offers(name) is is_offered, f"{name}: offered={not is_offered}, the channel says no"

    def test_capabilities_lack_exactly_what_is_refused(self) -> None:
        found = self.driver.capabilities(self.driver.environments[0])
        offered = self.material.offered()
        problems = []
        for call, names in methods.OF_CALLS.items():
            for name in names:
                if found.offers(name) and call not in offered:
                    problems.append(f"{name}: {call} refuses, and capabilities do not say that it is missing")
                if not found.offers(name) and call in offered:
                    problems.append(f"{name}: said to be missing, and {call} makes a call")
        none_of(problems)
