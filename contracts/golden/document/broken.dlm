---
dlm_id: 01m81fn4jac853msgr8b0ph69s
base_model: 123
system_prompt: 7
trainin: {}
training:
  lora_r: 0
  learnig_rate: 2e-4
  adapter: lorra
  seed: 1
  seed: 2
  precision: int8
  cpt: true
  target_modules: some
  micro_batch_size: often
  num_epochs:
  learning_rate: .inf
  gate: {enabled: true}
  replay: {removed: delete, max_sections: -1}
  sources:
    - {path: src, include: "*.py"}
    - {include: []}
export:
  default_quant: Q1
---
Text.

::note::

::instructions::

::prose#Bad::

::prose#::

::prose weight="heavy"::
Text.

::prose colour="red" title="A" title="B"::
Text.

::image::
A caption.

::audio path="" transcript="Hello"::

::image path='a.png'::

::preference::
### Prompt
x

::preference::
stray text
### Prompt
Which?
### Rejected
That.

::preference::
<!-- dlm-auto-mined: judge_name="j" judge_score_chosen="nan" judge_score_rejected="0" mined_at="2026-01-02" mined_run_id="0" -->
### Prompt
Which?
### Chosen

### Rejected
That.

::instruction::

::instruction::
<!-- dlm-auto-synth: synth_teacher="self" -->
<!-- dlm-auto-harvest: source="" -->
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
### A
Yes.
### Q

### A
An empty question.

::instruction::
### Q !followup
And then?
### A
Nothing.
### Q !prob
Whose?
### A !probe
Hers.
### Q !probe !probe
Where?
### A
There.
### Q !followup
And whose?
### A
It would train the probe above.
### Q
Where from?
### A
Here.
### Q !followup
And where to?
### Q
Whither?
### A
There.
### Q
Unanswered?

::instruction::
### Q
Why is it?
### A
So.
### Q !probe
why  is IT?
### A
So.

```python
never closed
