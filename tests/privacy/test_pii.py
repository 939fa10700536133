"""Identifiers are found by form and checksum, and masked so that the sentence stays readable."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.privacy.pii import KINDS, Span, find, mask, merged

# text, and what it reads like masked
MASKED = [
    ("write to ann.other@example.co.uk today", "write to [email] today"),
    ("see https://example.org/u/42?x=1 there", "see [link] there"),
    ("see www.example.org/ann. Then", "see [link]. Then"),
    ("call 415-555-0132 now", "call [phone] now"),
    ("call +49 30 901820 now", "call [phone] now"),
    ("ring (415)555-0132x0135 now", "ring [phone] now"),
    ("reach me at 001-415-555-0132 ext. 9", "reach me at [phone]"),
    ("01.84.17.61.18 is the desk", "[phone] is the desk"),
    ("Phone:\n467 3395\n", "Phone:\n[phone]\n"),
    ("467 3395 office", "[phone] office"),
    ("手机 13812345678", "手机 [phone]"),
    ("415-555-0132 415-555-0199", "[phone] [phone]"),
    ("card 4111 1111 1111 1111 please", "card [card] please"),
    ("it was 4111111111111111.", "it was [card]."),
    ("my credit card number is 675984103431?", "my credit card number is [card]?"),
    ("die Kreditkarte 4111 1111 1111 1112", "die Kreditkarte [card]"),
    ("DE89 3704 0044 0532 0130 00 is mine", "[iban] is mine"),
    ("gb29nwbk60161331926819 is mine", "[iban] is mine"),
    ("NO93 8601 1117 947 and more", "[iban] and more"),
    ("swift code DEUTDEFF500", "swift code [bank]"),
    ("sort code 20-00-00", "sort code [bank]"),
    ("VAT DE136695976", "VAT [vat]"),
    ("pay to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "pay to [wallet]"),
    ("from 192.168.17.4. Again", "from [ip]. Again"),
    ("from fe80::1ff:fe23:4567:890a again", "from [ip] again"),
    ("mac 00:1A:2B:3C:4D:5E here", "mac [mac] here"),
    ("key sk-abcdEFGH1234567890abcd leaked", "key [key] leaked"),
    ("my password is hunter2!", "my password is [password]"),
    ("пароль: Qwerty123", "пароль: [password]"),
    ("follow @jo_smith there", "follow [handle] there"),
    ("my username is jo_smith99", "my username is [handle]"),
    ("at 48.8583, 2.2945 exactly", "at [location] exactly"),
    ("at 48°51′29.6″N 2°17′40.2″E exactly", "at [location] exactly"),
    ("licence plate B-MW 1234 seen", "licence plate [plate] seen"),
    ("She was born on 2/19/1956.", "She was born on [birth]."),
    ("出生日期：1980年3月12日", "出生日期：[birth]"),
    ("my zip code is 94103", "my zip code is [postcode]"),
    ("in Springfield, IL 62704", "in Springfield, IL [postcode]"),
    ("a flat in SW1A 1AA now", "a flat in [postcode] now"),
    ("my passport number is X1234567", "my passport number is [id]"),
    ("routing number 021000021", "routing number [id]"),
    ("order number 20000 is late", "order number [id] is late"),
]
ADDRESSES = [
    "12 Baker Street",
    "12 baker street",
    "599 Railroad Avenue",
    "5801 Norris Canyon Road #200",
    "412 Monterey Ave, Capitola, CA 95010",
    "70 Oak Lane Apt. 4\nSpringfield, IL 62704",
    "Musterstraße 12",
    "Storgatan 5",
    "Prinsengracht 263",
    "Mannerheimintie 14",
    "Kossuth utca 5",
    "12 rue de la Paix",
    "calle de Alcalá 45",
    "Via Roma 131",
    "Rua Augusta 1903",
    "ul. Miła 53",
    "улица Ленина 5",
    "P.O. Box 149",
    "Postfach 1234",
    "PSC 1437, Box 3833\nAPO AA 66791",
    "北京市海淀区中关村大街27号",
    "東京都千代田区丸の内1-1-1",
    "서울시 강남구 테헤란로 152",
]
NAMED = [
    "My name is {Jordan Example} and I ask",
    "my name is {tom}",
    "please call me {Anna} from now on",
    "Name: {Iva Grusová}",
    "Mr. {Example} called",
    "my wife {Anna} said so",
    "Dear {Anna},",
    "{Mirka Novotna} lives in Rome",
    "ich heiße {Petra Muster}.",
    "Frau {Muster} sagt",
    "je m'appelle {Jean Exemple} et",
    "me llamo {Ana Ejemplo}",
    "mi chiamo {Mario Esempio}",
    "meu nome é {João Exemplo}",
    "mijn naam is {Jan de Voorbeeld}",
    "nazywam się {Anna Przykład} i",
    "jag heter {Anna Exempel}",
    "jmenuji se {Jan Příklad}",
    "a nevem {Példa Anna}",
    "benim adım {Ayşe Örnek}",
    "nama saya {Budi Contoh}",
    "меня зовут {Анна Примерова}",
    "{Иван Сергеевич Примеров} пришёл",
    "με λένε {Άννα Παράδειγμα}",
    "اسمي {أحمد علي}",
    "मेरा नाम {राहुल शर्मा} है",
    "제 이름은 {김민수}입니다",
    "私の名前は{山田太郎}です",
    "{山田}さんに電話",
    "我叫{王小明}，你好",
    "{王小明}先生您好",
]
# of a form and with a checksum that holds, and the same with another digit
NATIONAL = [
    ("11010519491231002X", "110105194912310021"),
    ("RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    ("12345678Z", "12345678A"),
    ("111.444.777-35", "111.444.777-36"),
    ("44051401359", "44051401358"),
    ("2345 6789 0124", None),
    ("1 85 05 78 006 084 91", None),
    ("900101-1234568", "900101-1234567"),
    ("811218-9876", None),
    ("756.9217.0769.85", "756.9217.0769.84"),
    ("12.345.678-5", "12.345.678-6"),
    ("AB 12 34 56 C", None),
    ("078-05-1120", None),
]
# a word that says what it is makes a number without a checksum an identifier
PAPERS = [
    "my BSN is 111222333",
    "mi DNI es 12345678",
    "Steuernummer: 12345678901",
    "numer konta 123456789",
    "паспорт 4509123456",
    "身份证号码是123456789",
    "パスポート番号はTK1234567",
    "주민등록번호는 9001011234",
]
LEFT = [
    "the number 4111 1111 1111 1112",
    "I'm looking for a hotel for 4 people on 12/03/2024",
    "version 3.11.7 of python",
    "convert 1200 to miles",
    "table for 2 at 7pm",
    "order 20000 units by 2025-01-31",
    "sort 5 3 8 1 9 2 7 4",
    "pi is 3.14159265358979",
    "since 2001-2002, from 20000-30000 dollars",
    "1,234,567 or 1.234.567",
    "timestamp 1700000000",
    "std::vector at 12:30:45",
    "[0.1234, 0.5678, 0.9012]",
    "call me later",
    "call me when you can",
    "this is great",
    "This is SQL",
    "@param value and @Override()",
    "top 10 places to visit in San Diego",
    "room 101 and unit 5",
    "我每天都要喝3-4杯",
    "reset my password please, the password is wrong",
]


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_identifiers_are_masked(text: str, masked: str) -> None:
    """Each kind is replaced by its name in brackets and the rest stays."""
    assert mask(text) == masked


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_are_masked_whole(address: str) -> None:
    """Streets, boxes and military post in many languages, with flat, town and postcode behind them."""
    assert mask(f"I live at {address}. Then") == "I live at [address]. Then"


@pytest.mark.parametrize("text", NAMED)
def test_names_are_masked_where_something_gives_them_away(text: str) -> None:
    """A name after "my name is" and the like, with a title or a patronymic, in more than twenty languages."""
    before, name, after = text.replace("}", "{").split("{")
    assert mask(before + name + after) == f"{before}[name]{after}"


@pytest.mark.parametrize(("valid", "invalid"), NATIONAL)
def test_national_numbers_are_known_by_form_and_checksum(valid: str, invalid: str | None) -> None:
    """A number of a state is found with nothing beside it, and not if its checksum fails."""
    assert [span.kind for span in find(f"it is {valid} here")] == ["id"]
    assert invalid is None or "id" not in {span.kind for span in find(f"it is {invalid} here")}


@pytest.mark.parametrize("text", PAPERS)
def test_a_number_counts_after_a_word_for_what_it_is(text: str) -> None:
    """A document's number is found by the word before it, in scripts with and without word borders."""
    assert [span.kind for span in find(text)] == ["id"]
    assert not any(c.isdigit() for c in mask(text))


@pytest.mark.parametrize("text", LEFT)
def test_ordinary_text_is_left_alone(text: str) -> None:
    """Wrong checksums, dates, versions, amounts, code and plain words are no identifiers."""
    assert mask(text) == text


def test_there_are_many_kinds() -> None:
    """Kinds are one plain word each, and at least twenty; the figure that the project promises is twelve."""
    assert len(KINDS) >= 20
    assert all(kind.isalpha() and kind.islower() for kind in KINDS)


def test_a_given_name_is_masked_but_does_not_stop_a_published_text() -> None:
    """Common given names are names where text is masked; what is to be published may speak of famous people."""
    assert mask("tell Alice Example about it") == "tell [name] about it"
    assert find("Discuss Albert Einstein") == []


@given(st.text(max_size=300), st.booleans())
def test_spans_are_in_order_and_do_not_overlap(text: str, known: bool) -> None:
    """Whatever the text, spans lie within it, in order, without overlap."""
    end = 0
    for span in find(text, known_names=known):
        assert end <= span.start < span.end <= len(text)
        end = span.end


_SPANS = st.lists(
    st.builds(lambda start, size: Span(start, start + size, "name"), st.integers(0, 40), st.integers(1, 9))
)


@given(_SPANS)
def test_merging_covers_what_was_covered(spans: list[Span]) -> None:
    """Overlapping spans become one that covers all of them; nothing else is covered, and nothing less."""
    whole = merged(spans)
    assert all(one.end <= other.start for one, other in pairwise(whole))
    assert {i for s in whole for i in range(s.start, s.end)} == {
        i for s in spans for i in range(s.start, s.end)
    }


def test_spans_found_elsewhere_are_masked_too() -> None:
    """What begins first names the mask, then the longer; no end of the other is left."""
    text = "ask zoe berg at zoe@example.com now"
    more = [Span(16, 24, "name"), Span(4, 12, "name")]
    assert mask(text, more) == "ask [name] at [email] now"
    assert mask(text, [Span(0, 20, "name")]) == "[name] now"
    assert mask("no more here", [Span(3, 7, "name")]) == "no [name] here"


def test_masked_text_is_left_as_it_is() -> None:
    """Masking once more changes nothing."""
    for text, masked in MASKED:
        assert mask(mask(text)) == masked


def test_a_span_never_carries_the_identifier() -> None:
    """A span says where and of what kind, not what."""
    assert "example" not in repr(find("a@example.com"))
