"""The explorer in a real browser: the page of the installed wheel, over HTTP, with its security policy on."""
