from typing import assert_type

import scapi

assert_type(scapi.__version__, str)
