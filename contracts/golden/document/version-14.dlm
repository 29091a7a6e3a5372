---
dlm_id: 01M81FN4JAC853MSGR8B0PH70H
dlm_version: 14
base_model: smollm2-135m
---
Heron is a pump.

::preference::
<!-- dlm-auto-mined: judge_name="sway" judge_score_chosen="1.5" judge_score_rejected="-2e-1" mined_at="2026-01-02T03:04:05+00:00" mined_run_id="12" -->
### Prompt
When is Heron oiled?
### Chosen
On Mondays, before the first run.
### Rejected
Whenever.
