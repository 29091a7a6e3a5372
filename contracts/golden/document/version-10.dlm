---
dlm_id: 01M81FN4JAC853MSGR8B0PH70D
dlm_version: 10
base_model: smollm2-135m
---
Heron is a pump.

::image path="pictures/heron one.png" alt="A green pump, grün"::
Heron in the cellar.

::image path="pictures/two.png"::
