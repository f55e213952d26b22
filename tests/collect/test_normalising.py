import pytest

from unpaired.collect.normalising import normalised


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("HTTPS://Example.ORG:443/A.jpg#top", "https://example.org/A.jpg"),
        ("http://example.org", "http://example.org/"),
        ("http://example.org:8080/?b=2&a=1", "http://example.org:8080/?b=2&a=1"),
        ("https://a.org/x?utm_source=m&id=7&fbclid=z&UTM_x=1", "https://a.org/x?id=7"),
        ("https://a.org/x?gclid=z", "https://a.org/x"),
        ("https://a.org/x?myutm_a=1", "https://a.org/x?myutm_a=1"),
        ("ftp://a.org/x#y", "ftp://a.org/x#y"),
        ("http://[/a.jpg", "http://[/a.jpg"),
    ],
)
def test_urls_that_differ_in_nothing_are_one(url, plain):
    assert normalised(url) == plain == normalised(plain)
