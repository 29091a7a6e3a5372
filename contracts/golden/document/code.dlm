---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15
base_model: smollm2-135m
---
Text before the first heading.

# Fences

\::note:: is a line of its own below.
\::note::
\\::instruction::

```text
::instruction::
# no heading
~~~
```

~~~~ `tilde` info
```
::prose::
~~~
~~~~

   ````
   ```
   ````

```inline``` text is no code block, and neither is this:

    ```

 ::instruction::
::a::b::

## Größe ###

Über 3 µm.

::instruction::
### Q
How is a pair written?
### A
Like this:

```
### Q
A question
### A
An answer
```

::prose::
# Second part

Back to prose.
