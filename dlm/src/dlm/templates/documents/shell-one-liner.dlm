---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8GG
dlm_version: 15
base_model: smollm2-135m
system_prompt: You give one shell command for Linux or macOS, then one sentence that says what it does.
# Add the commands that you look up again and again. Test each one before the model learns it.
# Questions marked !probe are never trained: they find out whether the model has learned. Keep at least four.
---
# Shell one-liners

One command for one job, in a POSIX shell on Linux or macOS. Quote every variable: `"$f"` stays one word even when the name
of the file has a blank in it.

## Finding files

`find . -type f -name '*.log'` lists every file below this folder whose name ends in .log. `find . -type f -size +10M`
lists files larger than 10 megabytes. `find . -type f -mtime -1` lists files that were changed within the last 24 hours.
The pattern is quoted, so that find sees it and not the shell.

## Searching text

`grep -rn 'TODO' src` prints every line with TODO below src, with the name of the file and the line number. `grep -rl
'TODO' src` prints the names of the files only. `grep -vc '^#' config.ini` counts the lines that do not begin with a hash
sign.

## Counting and sorting

`sort names.txt | uniq -c | sort -rn` counts how often each line occurs, the most frequent first. uniq sees only neighbours,
so sort comes first. `awk '!seen[$0]++' names.txt` removes repeated lines and keeps the order. `find . -name '*.py' -exec
cat {} + | wc -l` counts the lines of all Python files.

## Columns

`cut -d, -f2 people.csv` prints the second column of a file with commas. `tail -n +2 people.csv` prints everything but the
first line. `awk -F, '{ sum += $3 } END { print sum }' people.csv` adds up the third column.

## Replacing text

`sed 's/colour/color/g' notes.txt` prints the file with every colour replaced by color. `sed -i.bak 's/colour/color/g'
notes.txt` changes the file itself and keeps the old one as notes.txt.bak; this form works on Linux and on macOS.

## Renaming many files

`for f in *.jpeg; do mv -n -- "$f" "${f%.jpeg}.jpg"; done` renames every .jpeg file to .jpg. The option -n overwrites
nothing, and the two dashes protect names that begin with a dash.

## Archives

`tar -czf docs.tar.gz docs` packs the folder docs into one compressed file. `tar -tzf docs.tar.gz` lists what is in it
without unpacking. `tar -xzf docs.tar.gz` unpacks it here.

## Disk space

`du -sk -- * | sort -rn | head -n 3` shows the three largest entries of this folder, in kilobytes. `df -h .` shows how much
space is free on this disk.

## Processes

`lsof -nP -iTCP:8080 -sTCP:LISTEN` shows which program listens on port 8080.

::instruction::

### Q
How do I find all log files below this folder?
### Q
Which command lists every file that ends in .log?
### A
`find . -type f -name '*.log'` lists every file below this folder whose name ends in .log.

### Q !followup
Why is the pattern in quotes?
### A
The pattern is quoted, so that find sees it and not the shell.

### Q
How do I find large files?
### Q
Which command lists files larger than 10 megabytes?
### Q
What takes up space? Show files above 10 MB.
### A
`find . -type f -size +10M` lists files larger than 10 megabytes.

### Q
How do I search for TODO in all files of src?
### Q
Which command shows every TODO with its line number?
### A
`grep -rn 'TODO' src` prints every line with TODO, with the name of the file and the line number.

### Q !followup
I only need the names of the files.
### Q !followup
Can I get the file names alone?
### A
`grep -rl 'TODO' src` prints the names of the files only.

### Q
How do I count how often each line occurs?
### Q
Which lines of names.txt are the most frequent?
### A
`sort names.txt | uniq -c | sort -rn` counts how often each line occurs, the most frequent first.

### Q
How do I remove repeated lines without sorting?
### Q
Which command drops duplicates and keeps the order?
### A
`awk '!seen[$0]++' names.txt` removes repeated lines and keeps the order.

### Q
How do I add up a column of a CSV file?
### Q
Which command gives the sum of the third column?
### A
`awk -F, '{ sum += $3 } END { print sum }' people.csv` adds up the third column.

### Q
How do I skip the header of a CSV file?
### A
`tail -n +2 people.csv` prints everything but the first line.

### Q
How do I replace a word in a file?
### Q
Which command changes colour to color inside notes.txt?
### A
`sed -i.bak 's/colour/color/g' notes.txt` changes the file itself and keeps the old one as notes.txt.bak.

### Q
How do I rename all .jpeg files to .jpg?
### Q
Which loop changes the ending .jpeg to .jpg?
### A
`for f in *.jpeg; do mv -n -- "$f" "${f%.jpeg}.jpg"; done` renames every .jpeg file to .jpg.

### Q
How do I pack a folder into one file?
### Q
Which command makes docs.tar.gz out of docs?
### A
`tar -czf docs.tar.gz docs` packs the folder docs into one compressed file.

### Q
Which program listens on port 8080?
### A
`lsof -nP -iTCP:8080 -sTCP:LISTEN` shows which program listens on port 8080.

### Q !probe
What is inside docs.tar.gz? I do not want to unpack it.
### A
`tar -tzf docs.tar.gz` lists what is in it without unpacking.

### Q !probe
Which files did I change in the last day?
### A
`find . -type f -mtime -1` lists files that were changed within the last 24 hours.

### Q !probe
Print only the second column of people.csv.
### A
`cut -d, -f2 people.csv` prints the second column.

### Q !probe
Why does sort come before uniq?
### A
uniq sees only neighbours, so sort comes first.

### Q !probe
What are the three largest things in this folder?
### A
`du -sk -- * | sort -rn | head -n 3` shows the three largest entries of this folder.
