"""HTTP without I/O: requests, responses, redirects, proxies, and the only module that imports httpx."""
