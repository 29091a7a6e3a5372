---
dlm_id: 01M81FN4JAC853MSGR8B0PH69T
base_model: "smollm2-135m"
dlm_version: 15
system_prompt: |
  You answer briefly.
training:
  learning_rate: 2e-4     # not a number in YAML 1.1
  lora_r: 8
  token_budget: 20000
  lr_scheduler: wsd
  micro_batch_size: auto
  precision:
  adapters: {tone: {lora_r: 4, target_modules: [q_proj, v_proj]}, facts: {learning_rate: 1e-3}}
  sources: [{path: src, include: ["**/*.py"]}]
export: {default_quant: F16, default_temperature: 0.2}
---
::prose#facts::
A fact.

::instruction#tone::
<!-- dlm-auto-synth: synth_teacher="self" synth_strategy="extraction" synth_at="2026-01-02T03:04:05Z" source_section_id="0123456789abcdef" -->
### Q
Hello?
### A
Good day.
