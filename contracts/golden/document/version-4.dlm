---
dlm_id: 01M81FN4JAC853MSGR8B0PH707
dlm_version: 4
base_model: smollm2-135m
training:
  lora_r: 8   # beside adapters only at what was its default
  adapters:
    facts: {lora_r: 4, target_modules: [q_proj, v_proj]}
    tone: {adapter: qlora, lora_alpha: 8, lora_dropout: 0.1, learning_rate: 1e-4}
---
::prose#facts::
Heron is a pump.

::instruction#tone::
### Q
When is Heron oiled?
### A
On Mondays.

::prose::
For every adapter.
