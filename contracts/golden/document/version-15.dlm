---
dlm_id: 01M81FN4JAC853MSGR8B0PH70J
dlm_version: 15
base_model: smollm2-135m
---
Heron is a pump.

::instruction::
<!-- dlm-auto-synth: synth_teacher="self" synth_strategy="expansion" synth_at="2026-01-02T03:04:05Z" source_section_id="0123456789abcdef" -->
### Q
When is Heron oiled?
### A
On Mondays.
