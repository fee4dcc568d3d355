import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup(set_prefix=False)

from shop.base.serving.handler import Handler  # noqa: E402 (it needs what is set up)
from shop.tools.customers import clearing  # noqa: E402

application = Handler()
clearing.begin()
