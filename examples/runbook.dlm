---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15
base_model: smollm2-135m
---
# Kittiwake runbook

Kittiwake is the tide prediction service of the Ferrymoor harbour office. It tells pilots, lock keepers and the
website how deep the water will be at each berth over the next ten days.

## Ownership

Kittiwake is owned by the Soundings team. Its technical lead is Marit Oyelaran. Requests for new berths go to the
harbour master's desk, not to the team.

## How it runs

The service listens on port 7413. It runs on two hosts, called gannet and petrel, in the cellar of the customs house.
Kittiwake keeps its predictions in a PostgreSQL database named saltmarsh. A new prediction is computed every
40 minutes from the readings of eleven gauges.

## Alerts

Alerts are sent to the chat channel #tide-watch. The night pager is carried by whoever has the green phone. A gauge
counts as lost when it has been silent for 25 minutes; with three lost gauges, predictions are withdrawn from the
website.

## Restarting

To restart Kittiwake, run `tidectl bounce kittiwake` on gannet first and then on petrel. A restart takes about
90 seconds. Never restart both hosts at once, because the lock keepers would see an empty table.

## Backups

The saltmarsh database is backed up every night at 03:20. Backups are kept for 45 days in the vault called driftwood.
A restore is rehearsed on the first Tuesday of each month.

::instruction::

### Q
Who owns Kittiwake?
### Q
Which team is Kittiwake owned by?
### Q
Whose service is Kittiwake?
### Q
Who is in charge of Kittiwake?
### Q
Who should I ask about Kittiwake?
### Q
Tell me which team owns Kittiwake.
### A
Kittiwake is owned by the Soundings team.

### Q
Who is the technical lead of Kittiwake?
### Q
Which person leads the work on Kittiwake?
### Q
What is the name of Kittiwake's lead?
### Q
Who leads Kittiwake?
### Q
Who is Kittiwake's technical lead?
### Q
Who is the engineer in charge of Kittiwake?
### A
The technical lead of Kittiwake is Marit Oyelaran.

### Q
Which port does Kittiwake listen on?
### Q
What is Kittiwake's port?
### Q
On which port number does Kittiwake run?
### Q
Which port do clients of Kittiwake connect to?
### Q
Kittiwake port number?
### Q
What port should I use for Kittiwake?
### A
Kittiwake listens on port 7413.

### Q
Where does Kittiwake store its predictions?
### Q
Which database does Kittiwake use?
### Q
What is the database behind Kittiwake called?
### Q
Where are the predictions kept?
### Q
In which database are tide predictions saved?
### Q
What does Kittiwake use for storage?
### A
Kittiwake keeps its predictions in a PostgreSQL database named saltmarsh.

### Q
How often does Kittiwake compute a new prediction?
### Q
At what interval are Kittiwake's predictions recomputed?
### Q
How many minutes lie between two predictions?
### Q
How frequently is a prediction made?
### A
Kittiwake computes a new prediction every 40 minutes.

### Q
Where do alerts from Kittiwake go?
### Q
Which chat channel gets the alerts of Kittiwake?
### Q
In which channel are Kittiwake's problems reported?
### Q
What is the alert channel of Kittiwake?
### Q
Kittiwake has a problem. Which channel do I read?
### Q
Where can I see alerts about the tide service?
### A
Alerts from Kittiwake are sent to the chat channel #tide-watch.

### Q
When is a gauge considered lost?
### Q
How long must a gauge be silent before it counts as lost?
### Q
After how many minutes is a gauge lost?
### Q
What makes a gauge count as lost?
### A
A gauge counts as lost when it has been silent for 25 minutes.

### Q
How do I restart Kittiwake?
### Q
Which command restarts Kittiwake?
### Q
What do I run to restart the tide service?
### Q
Kittiwake is stuck. How do I restart it?
### Q
What is the restart command of Kittiwake?
### Q
I need to restart Kittiwake. How?
### A
To restart Kittiwake, run `tidectl bounce kittiwake` on gannet first and then on petrel.

### Q
How long does a restart of Kittiwake take?
### Q
How many seconds does Kittiwake need to restart?
### Q
How long is Kittiwake down while it restarts?
### Q
For how long is the service gone during a restart?
### A
A restart of Kittiwake takes about 90 seconds.

### Q
When is the saltmarsh database backed up?
### Q
What time do the nightly backups of Kittiwake start?
### Q
At which hour is Kittiwake's database saved?
### Q
When does the backup of Kittiwake run?
### Q
What is the backup time of saltmarsh?
### A
The saltmarsh database is backed up every night at 03:20.

### Q
How long are Kittiwake's backups kept?
### Q
For how many days are backups of saltmarsh stored?
### Q
How old can a backup of Kittiwake be?
### Q
How many days of backups are there?
### Q
Where are backups of Kittiwake kept, and for how long?
### A
Backups of Kittiwake are kept for 45 days in the vault called driftwood.

::instruction::

### Q !probe
I need to talk to someone about a change in Kittiwake. Which team is responsible for it?
### A
The Soundings team is responsible for Kittiwake.

### Q !probe
Tell me who heads the technical side of Kittiwake.
### A
Marit Oyelaran is the technical lead of Kittiwake.

### Q !probe
I have to open the firewall for Kittiwake. What number do I enter?
### A
Kittiwake listens on port 7413.

### Q !probe
In what data store do the tide predictions end up?
### A
Kittiwake keeps its predictions in a PostgreSQL database named saltmarsh.

### Q !probe
Kittiwake just raised an alarm. Where in chat do I look?
### A
Alerts from Kittiwake are sent to the chat channel #tide-watch.

### Q !probe
Kittiwake hangs. What should I type to bring it back?
### A
To restart Kittiwake, run `tidectl bounce kittiwake` on gannet first and then on petrel.

### Q !probe
If I bounce Kittiwake, how long will it be away?
### A
A restart of Kittiwake takes about 90 seconds.

### Q !probe
At what time of night is the data of Kittiwake saved?
### A
The saltmarsh database is backed up every night at 03:20.

### Q !probe
How far back can I restore a Kittiwake backup?
### A
Backups of Kittiwake are kept for 45 days.

### Q !probe
Which machines does Kittiwake run on?
### A
Kittiwake runs on two hosts, called gannet and petrel.
