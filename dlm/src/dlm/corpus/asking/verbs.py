"""English verbs: the common ones and their forms. A word outside the list is no verb to whoever asks here."""

from __future__ import annotations

from typing import NamedTuple

BE = frozenset({"is", "are", "was", "were"})
HAVE = frozenset({"has", "have", "had"})
MODALS = frozenset({"can", "could", "should", "would", "will", "must", "may", "might", "shall"})
AUXILIARIES = BE | HAVE | MODALS

_REGULAR = (
    "absorb accept access achieve act activate add address adjust administer advise allow announce answer appear apply "
    "appoint approve archive arrange arrive ask assemble assign assist attach attend audit authorise authorize award "
    "back bake balance ban base believe belong block board boil book borrow bounce brew calculate call cancel capture "
    "carry cater cause celebrate change charge check claim clean cleanse clear climb close collect combine commission "
    "communicate compare compile complete compress compute confirm connect consist consult contact contain continue "
    "control convert cook cool coordinate copy correct cost count cover crack create cross crush cultivate cure dance "
    "date decide declare decline decorate deduct define defrost delay delete deliver depart depend deploy describe "
    "design destroy detect determine develop dim direct disable discard discharge disconnect discuss display dissolve "
    "distribute divide donate dose download drain dry dump earn edit educate elect emit employ empty enable encode "
    "encrypt end enforce enter erase escort establish estimate examine exceed exchange exclude execute exist expand "
    "expect expire explain export extend extract face fail fasten fetch file fill filter finance finish fire fit fix "
    "flash float flow flush fold follow form format found function fund gain gather generate govern grant grease greet "
    "group guard guide handle happen harvest head heat help hire host house identify ignore illustrate import improve "
    "include increase index inform insert inspect inspire install instruct insulate insure invent invite invoice issue "
    "join judge knock label land last launch learn lease license lift limit link list listen live load "
    "locate lock log look loop lower mail maintain manage manufacture map mark marry match measure melt mention merge "
    "migrate mill mix monitor mount move name need notify number obey observe obtain occupy occur offer oil open "
    "operate order organise organize originate own pack paint park pass paste patrol peak perform "
    "pickle place plan plant play point polish post pour predict prefer prepare present preserve press print process "
    "produce program promise protect prove provide publish pull pump punch purchase purify push qualify quote raise "
    "rank rate reach reappear receive recharge recommend record recover recruit redirect reduce refer refill reflect "
    "refresh refuse regenerate register regulate rehearse reject release rely remain remember remind remove rename "
    "renew rent repair repeat replace reply report represent request require reroute rescue reserve resolve "
    "respond rest restart restore restrict result resume retire return review reward rinse roast roll rotate rule "
    "sail salt sample satisfy save scan schedule score scrape screen seal seat secure select separate serve service "
    "settle share shelter ship shorten shout sign signal simulate skip slice smoke sort sound specialise "
    "sponsor sprinkle stamp start state stay steam steer step sterilise stir stitch stock stop store stretch study "
    "submit succeed suffer suggest supervise supply support surround survey suspend switch tackle talk taste test "
    "thank touch tour trace track trade train transcribe transfer transform translate transmit transport travel treat "
    "trigger trim trust try tune turn type unload unlock unpack update upgrade upload use validate vary vent verify "
    "visit volunteer vote wait walk want warm warn wash watch water wax weigh welcome winter work wrap "
    "yield"
)
_IRREGULAR = (
    "be/was/been bear/bore/borne become/became/become begin/began/begun bind/bound/bound bite/bit/bitten "
    "blow/blew/blown break/broke/broken bring/brought/brought build/built/built burn/burnt/burnt buy/bought/bought "
    "catch/caught/caught choose/chose/chosen come/came/come cost/cost/cost cut/cut/cut dig/dug/dug do/did/done "
    "draw/drew/drawn drink/drank/drunk drive/drove/driven eat/ate/eaten fall/fell/fallen feed/fed/fed feel/felt/felt "
    "find/found/found fly/flew/flown forbid/forbade/forbidden freeze/froze/frozen get/got/got give/gave/given "
    "go/went/gone grind/ground/ground grow/grew/grown hang/hung/hung have/had/had hear/heard/heard hide/hid/hidden "
    "hold/held/held keep/kept/kept know/knew/known lay/laid/laid lead/led/led leave/left/left lend/lent/lent "
    "let/let/let lie/lay/lain light/lit/lit lose/lost/lost make/made/made mean/meant/meant meet/met/met "
    "overlook/overlooked/overlooked oversee/oversaw/overseen pay/paid/paid put/put/put read/read/read "
    "rebuild/rebuilt/rebuilt reset/reset/reset ride/rode/ridden ring/rang/rung rise/rose/risen run/ran/run "
    "say/said/said see/saw/seen sell/sold/sold send/sent/sent set/set/set sew/sewed/sewn shine/shone/shone "
    "show/showed/shown shut/shut/shut sing/sang/sung sink/sank/sunk sit/sat/sat sleep/slept/slept speak/spoke/spoken "
    "spend/spent/spent split/split/split spread/spread/spread stand/stood/stood steal/stole/stolen stick/stuck/stuck "
    "sweep/swept/swept swim/swam/swum swing/swung/swung take/took/taken teach/taught/taught tear/tore/torn "
    "tell/told/told think/thought/thought throw/threw/thrown understand/understood/understood wake/woke/woken "
    "wear/wore/worn win/won/won wind/wound/wound withdraw/withdrew/withdrawn withhold/withheld/withheld "
    "write/wrote/written"
)
_DOUBLING = frozenset(
    "ban dim drop fit knit log plan program regret scan ship skip step stir stop submit transfer transmit trim wrap "
    "refer prefer occur commit equip pin rip tap travel cancel label signal patrol map control".split()
)
_FORMS = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_NEVER_FINITE = frozenset("called named titled known given based located".split())


class Form(NamedTuple):
    base: str
    tense: str
    """``third`` (keeps), ``base`` (keep), ``past`` (kept)."""


def third(base: str) -> str:
    """``carry`` to ``carries``."""
    if base in _FORMS:
        return _FORMS[base]
    if base.endswith("y") and base[-2] not in "aeiou":
        return f"{base[:-1]}ies"
    return base + ("es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")


def past(base: str) -> str:
    """``carry`` to ``carried``; a verb outside the list is taken to be regular."""
    return _PAST.get(base) or _regular_past(base)


def participle(base: str) -> str:
    """``write`` to ``written``; a verb outside the list is taken to be regular."""
    return _PARTICIPLE_OF.get(base) or _regular_past(base)


def gerund(base: str) -> str:
    """``keep`` to ``keeping``."""
    return _gerund(base)


def participle_base(word: str) -> str:
    """``keep`` for ``kept``; empty when ``word`` is no participle of the list."""
    return _PARTICIPLES.get(word.lower(), "")


def gerund_base(word: str) -> str:
    """``keep`` for ``keeping``; empty when ``word`` is no such form."""
    return _GERUNDS.get(word.lower(), "")


def is_base(word: str) -> bool:
    return word in _PAST


def finite(word: str) -> list[Form]:
    """What ``word`` can be as the only verb of a sentence."""
    low = word.lower()
    found = [Form(low, "base")] if low in _PAST and low not in AUXILIARIES else []
    if low in _THIRD:
        found.append(Form(_THIRD[low], "third"))
    if low in _PAST_OF and low not in _NEVER_FINITE:
        found.append(Form(_PAST_OF[low], "past"))
    return found


def _regular_past(base: str) -> str:
    if base.endswith("e"):
        return f"{base}d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return f"{base[:-1]}ied"
    return f"{base}{base[-1]}ed" if base in _DOUBLING else f"{base}ed"


def _gerund(base: str) -> str:
    if base.endswith("ie"):
        return f"{base[:-2]}ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and base != "be":
        return f"{base[:-1]}ing"
    doubled = base in _DOUBLING or base in _DOUBLING_IRREGULAR
    return f"{base}{base[-1] if doubled else ''}ing"


_DOUBLING_IRREGULAR = frozenset("begin cut dig forbid get let put reset run set shut sit swim split win".split())
_PAST: dict[str, str] = {}
_PARTICIPLES: dict[str, str] = {}
for _base in _REGULAR.split():
    _PAST[_base] = _regular_past(_base)
    _PARTICIPLES[_PAST[_base]] = _base
# US spellings of the doubled l, beside the British ones.
_PARTICIPLES |= {f"{base}ed": base for base in ("cancel", "label", "travel", "signal")}
for _entry in _IRREGULAR.split():
    _base, _past, _participle = _entry.split("/")
    _PAST[_base] = _past
    _PARTICIPLES[_participle] = _base
_PARTICIPLE_OF = {_base: form for form, _base in reversed(_PARTICIPLES.items())}
_PARTICIPLES |= {"burned": "burn", "lighted": "light", "sewed": "sew", "born": "bear"}
_THIRD = {third(base): base for base in _PAST if base not in {"be", "have"}}
_GERUNDS = {_gerund(base): base for base in _PAST}
_PAST_OF = {form: base for base, form in _PAST.items() if base not in {"be", "have"} and form != base}
