---
dlm_id: 01M81FN4JAC853MSGR8B0PH70K
dlm_version: 15
base_model: smollm2-135m
training:
  replay: {removed: keep, max_sections: 8}
---
# Heron

Heron is a pump.

::prose title="The cellar" weight="0.5"::
Text before a heading.

## Keys

The key hangs beside the door.

::instruction weight="2"::
<!-- dlm-auto-harvest: source="report 4" -->
<!-- dlm-auto-synth: synth_teacher="self" synth_strategy="extraction" synth_at="2026-01-02T03:04:05Z" source_section_id="0123456789abcdef" -->
### Q
When is Heron oiled?
### A
On Mondays.

### Q !followup
And who does it?
### Q !followup
Who oils it?
### A
The keeper.

### Q !followup
Where is she found?
### A
In the cellar.

### Q !probe !followup
And at what hour?
### A
At noon.

### Q
How is a question written?
### A
Below a line of its own:

\### Q
\\### A
\::instruction::

- as a list:
  ```
  ### Q
  ::note::
  ```
- or so
> ~~~
> ### A
\### Q !probe

::instruction weight="0"::
### Q
What is never trained?
### A
This.
