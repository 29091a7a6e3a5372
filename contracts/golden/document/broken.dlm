---
dlm_id: 01m81fn4jac853msgr8b0ph69s
base_model: 123
training:
  lora_r: 0
  learnig_rate: 2e-4
  adapter: lorra
  seed: 1
  seed: 2
  precision: int8
  cpt: true
---
Text.

::note::

::preference::
### Prompt
x

::instruction::
stray text
### Q
What?
### A

### A
No question.
### Q !probe
What else?
### Q
And what?
### A
This.
### Q:
Nearly.

::prose#Bad::

```python
never closed
