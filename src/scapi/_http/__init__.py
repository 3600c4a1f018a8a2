"""HTTP without a socket: requests, responses, redirects, proxies, and the only module that imports httpx."""
