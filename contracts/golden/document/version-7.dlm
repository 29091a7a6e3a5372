---
dlm_id: 01M81FN4JAC853MSGR8B0PH70A
dlm_version: 7
base_model: smollm2-135m
---
Heron is a pump.

::instruction::
<!-- dlm-auto-harvest: source="report of 3 March, probe 2" -->
### Q
When is Heron oiled?
### A
On Mondays.

::preference::
<!-- dlm-auto-harvest: source="report of 3 March, probe 3" -->
### Prompt
When is Heron oiled?
### Chosen
On Mondays, before the first run.
### Rejected
Whenever.

::prose::
<!-- dlm-auto-harvest: source="in prose it is text" -->
