---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8AA
dlm_version: 15
base_model: smollm2-135m
system_prompt: You are a patient Python tutor. Say what goes wrong, why, and show the shortest code that works.
# Add the topics of your own course below, one under each heading. The model learns whatever stands there.
# Questions marked !probe are never trained: they find out whether it has learned. Keep at least four.
---
# Python tutor

This guide answers the questions that beginners in Python ask most. It is about Python 3.

## Names and objects

An assignment such as `b = a` copies no list. It gives the same list a second name, so a change through one name is
seen through the other. To get a list of its own, write `b = a.copy()` or `b = list(a)`. Both make a shallow copy: lists
inside the list are still shared. `copy.deepcopy(a)` copies those too.

```python
a = [1, 2]
b = a
c = a.copy()
b.append(3)
assert a == [1, 2, 3]
assert c == [1, 2]
```

## Equality and identity

`==` asks whether two objects have equal values. `is` asks whether two names stand for the very same object. Compare
values with `==`. Use `is` for `None`, as in `if x is None`, because there is only one `None`.

```python
assert [1, 2] == [1, 2]
assert [1, 2] is not [1, 2]
```

## Default arguments

A default value is made once, when the `def` line runs, and not at each call. A list as a default is therefore shared by
all calls. Write `None` as the default and make the list inside the function.

```python
def add(item, items=None):
    if items is None:
        items = []
    items.append(item)
    return items

assert add(1) == [1]
assert add(2) == [2]
```

## Ranges

`range(n)` counts from 0 to `n - 1`: the end is left out. `range(a, b)` has `b - a` numbers. To count from 1 to 10, write
`range(1, 11)`. The last index of a list is `len(items) - 1`, and `items[-1]` is the last element.

```python
assert list(range(3)) == [0, 1, 2]
assert list(range(1, 11))[-1] == 10
assert ["a", "b"][-1] == "b"
```

## Looping

`enumerate(items)` gives the index and the element together. `zip(a, b)` walks through two lists side by side and stops
at the end of the shorter one. Never remove elements from a list while looping over it: elements are skipped. Build a new
list with a comprehension instead.

```python
assert [x for x in [1, 2, 2, 3] if x != 2] == [1, 3]
assert list(enumerate("ab")) == [(0, "a"), (1, "b")]
assert list(zip([1, 2, 3], "ab")) == [(1, "a"), (2, "b")]
```

## Strings

Strings cannot be changed. A method such as `s.upper()` returns a new string and leaves `s` as it was. Numbers are put
into text with an f-string. `int("7")` makes a number of text, and raises `ValueError` when the text is no number.

```python
s = "tea"
assert s.upper() == "TEA"
assert s == "tea"
assert f"{s} for {1 + 1}" == "tea for 2"
assert int("7") == 7
```

## Dictionaries

`d[key]` raises `KeyError` when the key is missing. `d.get(key)` returns `None` in that case, and `d.get(key, 0)` returns
0. Dictionaries keep the order in which keys were added.

```python
d = {"a": 1}
assert d.get("b") is None
assert d.get("b", 0) == 0
```

::instruction::

### Q
I wrote `b = a` and changed `b`. Why did my list `a` change too?
### Q
Why does changing one list change the other after `b = a`?
### Q
Does `b = a` copy a list?
### A
`b = a` copies nothing: both names stand for the same list. For a list of its own, write `b = a.copy()`.

### Q !followup
And what about the lists inside my list?
### Q !followup
Does that copy the inner lists too?
### A
`a.copy()` is a shallow copy: the inner lists are still shared. `copy.deepcopy(a)` copies those too.

### Q
What is the difference between `==` and `is`?
### Q
When do I write `is` and when `==` in Python?
### A
`==` asks whether two values are equal, `is` whether they are the very same object. Compare values with `==`, and use
`is` for `None`.

### Q
My function has `items=[]` as a default, and it remembers old items. Why?
### Q
Why is a list a bad default argument?
### A
A default value is made once, when the `def` line runs, so all calls share that list. Write `items=None` and make the
list inside the function.

### Q
Why does `range(10)` stop at 9?
### Q
Is the end of a range included in Python?
### A
The end of a range is left out: `range(10)` counts from 0 to 9.

### Q !followup
How do I count from 1 to 10 then?
### A
Write `range(1, 11)`: the end, 11, is left out.

### Q
How do I get the last element of a list?
### Q
Which index is the last one of a list?
### A
Write `items[-1]`. The same element has the index `len(items) - 1`.

### Q
How do I get the index together with the element in a loop?
### Q
Which function counts along while I loop?
### A
Use `enumerate`: `for index, item in enumerate(items)`.

### Q
Why are elements skipped when I remove them in a loop?
### A
Removing moves the later elements one place forward, and the loop steps over one. Build a new list with a comprehension:
`[x for x in items if x != 2]`.

### Q
I called `s.upper()`, but `s` is still in lower case. What is wrong?
### Q
Why does `s.upper()` not change my string?
### A
Strings cannot be changed: `s.upper()` returns a new string. Write `s = s.upper()`.

### Q
How do I read a key that may be missing from a dictionary?
### Q
How do I avoid `KeyError`?
### A
Use `d.get(key)`, which returns `None` when the key is missing, or `d.get(key, 0)` for 0 instead.

### Q
How do I loop over two lists at the same time?
### A
Use `zip`: `for x, y in zip(a, b)`. It stops at the end of the shorter list.

### Q !probe
How do I make an independent copy of my list `a`?
### A
Write `a.copy()`.

### Q !probe
How should I test whether `x` is `None`?
### A
Write `if x is None`.

### Q !probe
When is a default value of a function created?
### A
A default value is made once, when the `def` line runs.

### Q !probe
How many numbers does `range(3)` give, and which?
### A
`range(3)` gives three numbers: 0, 1 and 2.

### Q !probe
What does `d.get(key, 0)` return when the key is not there?
### A
It returns 0.

### Q !probe
My two lists differ in length. Where does `zip` stop?
### A
`zip` stops at the end of the shorter list.
