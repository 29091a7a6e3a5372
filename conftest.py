"""Makes the name ``dlm`` mean the package before pytest meets the folder ``dlm/``.

In importlib mode pytest names a test module after its path (``dlm.tests.store.test_store``) and imports the parents
first; were ``dlm`` not yet imported, the folder would become a namespace package and hide the real one.
"""

import dlm  # noqa: F401
