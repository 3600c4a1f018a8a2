"""OAuth: logging in, getting tokens and renewing them."""
