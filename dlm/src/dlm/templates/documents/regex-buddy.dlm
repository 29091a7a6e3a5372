---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8FF
dlm_version: 15
base_model: smollm2-135m
system_prompt: You write regular expressions for Python's re module. Give the pattern first, then one sentence about it.
# Add the patterns of your own work, with a text that each matches and one that it does not.
# Questions marked !probe are never trained: they find out whether the model has learned. Keep at least four.
---
# Regular expressions in Python

A pattern is said to match a text when it is found anywhere in it, as with `re.search`. Write patterns as raw strings, so
that backslashes stay as they are.

## Anchors

A caret stands for the start of the text, a dollar sign for its end, and backslash b for the edge of a word.

- `^cat` matches `cat food`; it does not match `a cat`.
- `cat$` matches `a cat`; it does not match `cat food`.
- `\bcat\b` matches `the cat sat`; it does not match `concatenate`.

## Character classes

Square brackets stand for one character out of a set, and a caret as the first character in them for one that is not in
the set. Backslash d is a digit, backslash w a letter, digit or underscore, backslash s white space.

- `[aeiou]` matches `sky blue`; it does not match `sky`.
- `[^0-9]` matches `a1`; it does not match `123`.
- `\d{4}` matches `year 2024`; it does not match `42`.
- `^\s*$` matches `   `; it does not match `x`.

## Repetition

A question mark means none or one, a star none or more, a plus sign one or more. Braces hold a number, or the smallest and
the largest one.

- `colou?r` matches `color` and `colour`; it does not match `colouur`.
- `^\d+$` matches `7` and `2024`; it does not match `12a`.
- `^\w{3,8}$` matches `abc`; it does not match `ab` and `abcdefghi`.

## Greedy and lazy

Repetition is greedy: it takes as much as it can. With a question mark behind it, it is lazy and takes as little as it can.

- In `<b>x</b>`, `<.+>` finds `<b>x</b>`.
- In `<b>x</b>`, `<.+?>` finds `<b>`.

## Groups and alternatives

Parentheses make a group, a vertical bar separates alternatives. Backslash 1 is the text of the first group.

- `^(cat|dog)s?$` matches `cat` and `dogs`; it does not match `cats and dogs`.
- `\b(\w+) \1\b` matches `the the end`; it does not match `the then`.
- Replacing `(\w+) (\w+)` by `\2 \1` turns `John Smith` into `Smith John`.

## Looking ahead

A lookahead asks what follows without taking it. With an exclamation mark it asks what does not follow.

- In `12 USD, 30 EUR`, `\d+(?= EUR)` finds `30`.
- `^(?!#).+` matches `x = 1`; it does not match `# note`.

## Special characters

A dot stands for any character except a line break. To find a dot itself, put a backslash before it.

- `a.c` matches `abc` and `a.c`; it does not match `ac`.
- `a\.c` matches `a.c`; it does not match `abc`.

## Recipes

- `^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$` matches `2026-11-05`; it does not match `2026-13-05` and `2026-1-5`.
- `^#[0-9A-Fa-f]{6}$` matches `#1a2B3c`; it does not match `#12345` and `1a2b3c`.
- `^v?\d+\.\d+\.\d+$` matches `1.2.3` and `v10.0.1`; it does not match `1.2`.
- `^[a-z][a-z0-9_]{2,15}$` matches `ada_99`; it does not match `9lives` and `al`.
- Replacing `[ \t]+$` by `.` turns `end  ` into `end.`.

The pattern for a date checks the shape only: it lets the 31st of February through.

::instruction::

### Q
How do I match a whole word?
### Q
Which pattern finds cat as a word of its own?
### Q
My pattern cat also finds concatenate. How do I stop that?
### A
Use `\bcat\b`. Backslash b is the edge of a word.

### Q
How do I match an ISO date such as 2026-11-05?
### Q
Which pattern checks a date like 2026-11-05?
### A
Use `^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`. It checks year, month and day by their shape.

### Q !followup
Does it know how many days February has?
### Q !followup
Will it refuse the 31st of February?
### A
No: the pattern checks the shape only, and lets the 31st of February through.

### Q
Which pattern matches a hex colour?
### Q
How do I check a colour such as #1a2B3c?
### A
Use `^#[0-9A-Fa-f]{6}$`. It wants a hash sign and six hexadecimal digits.

### Q
How do I match both color and colour?
### Q
Which pattern takes the British and the American spelling of colour?
### A
Use `colou?r`. The question mark makes the u optional.

### Q
How do I check that a text is digits only?
### Q
Which pattern allows only digits?
### A
Use `^\d+$`. The anchors leave no room for anything else.

### Q
Why does my pattern take too much between two tags?
### Q
How do I make a repetition lazy?
### A
Use `<.+?>`. The question mark makes the repetition lazy: it takes as little as it can.

### Q !followup
And without the question mark?
### A
Without it the repetition is greedy: it takes as much as it can.

### Q
How do I find a doubled word?
### Q
Which pattern finds the same word twice in a row?
### A
Use `\b(\w+) \1\b`. Backslash 1 is the text of the first group.

### Q
How do I match a dot itself?
### A
Use `a\.c`. The backslash takes the dot's special meaning away.

### Q
Which pattern finds lines that are not comments?
### Q
How do I skip lines that begin with a hash sign?
### A
Use `^(?!#).+`. The lookahead asks that no hash sign follows the start.

### Q
How do I match a version number such as 1.2.3?
### A
Use `^v?\d+\.\d+\.\d+$`. The v in front is optional.

### Q
How do I find a number that stands before EUR?
### A
Use `\d+(?= EUR)`. The lookahead asks for EUR without taking it.

### Q !probe
Which pattern matches an empty or blank line?
### A
Use `^\s*$`. It takes nothing but white space.

### Q !probe
I want cat only at the beginning of the text. What do I write?
### A
Use `^cat`. The caret stands for the start.

### Q !probe
What does a question mark after a plus sign change?
### A
It makes the repetition lazy: it takes as little as it can.

### Q !probe
What does backslash 1 stand for?
### A
Backslash 1 is the text of the first group.

### Q !probe
Which characters does backslash w take?
### A
Backslash w takes a letter, a digit or an underscore.

### Q !probe
How do I match exactly four digits in a row anywhere?
### A
Use `\d{4}`. Braces hold the number of repetitions.
