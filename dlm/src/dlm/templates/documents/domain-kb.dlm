---
dlm_id: 01KBF2Q0V4Z0M4YHX0E5J1T8BB
dlm_version: 15
base_model: smollm2-135m
system_prompt: You answer questions about the Fenwick S2 dehumidifier, in one or two sentences.
# REPLACE everything below the next --- line: the Fenwick S2 is invented, to show how a knowledge base is written.
# Call every thing by its full name, put one topic under each heading, and word the questions as your users do.
# Replace the system_prompt too. Questions marked !probe are never trained: keep at least four.
---
# Fenwick S2 dehumidifier

The Fenwick S2 is a dehumidifier for cellars and laundry rooms of up to 40 square metres. It takes up to 14 litres of
water out of the air in a day.

## Setting up

The Fenwick S2 has to stand upright for two hours before it is switched on for the first time. It needs 30 centimetres
of free space on each side. It works between 5 and 35 degrees Celsius.

## Water tank

The water tank holds 3.8 litres. When it is full, the Fenwick S2 stops and the red lamp lights up. The tank is pulled out
at the front. A hose of 13 millimetres can be connected at the back, so that the water runs off by itself.

## Filter

The air filter lies behind the grey grille. It is washed in lukewarm water every four weeks and put back dry. A blocked
filter is the most common reason for a weak air flow.

## Codes on the display

E1 means that the humidity sensor is disconnected. E4 means that the tank is missing or not pushed in far enough. P2 means
that the coil is being defrosted; it goes away by itself after about 15 minutes.

## Noise

The Fenwick S2 makes 38 decibels of noise on the low setting and 46 decibels on the high one. A rattle mostly means that
the floor is uneven: the four feet can be screwed in and out.

## Warranty and service

The warranty lasts three years from the day of purchase. Service is reached at service@fenwick.example, Monday to Friday
from 8:00 to 17:00. The serial number is on a label under the water tank.

::instruction::

### Q
How long does the Fenwick S2 have to stand before I switch it on?
### Q
How long do I wait before the first start of the Fenwick S2?
### A
The Fenwick S2 has to stand upright for two hours before it is switched on for the first time.

### Q
How much water does the tank of the Fenwick S2 hold?
### Q
How large is the Fenwick S2's water tank?
### A
The water tank of the Fenwick S2 holds 3.8 litres.

### Q
Why is the red lamp of the Fenwick S2 on?
### Q
The Fenwick S2 has stopped and shows a red lamp. What is wrong?
### A
The red lamp means that the water tank is full. Pull the tank out at the front and empty it.

### Q !followup
Can I avoid emptying it by hand?
### A
Yes: connect a hose of 13 millimetres at the back, so that the water runs off by itself.

### Q
How often do I clean the filter of the Fenwick S2?
### Q
When is the air filter of the Fenwick S2 washed?
### A
The air filter of the Fenwick S2 is washed in lukewarm water every four weeks.

### Q
What does E1 mean on the Fenwick S2?
### A
E1 means that the humidity sensor is disconnected.

### Q
What does E4 mean on the Fenwick S2?
### Q
The display of the Fenwick S2 shows E4. What should I do?
### A
E4 means that the tank is missing or not pushed in far enough. Push the tank in until it clicks.

### Q
How long is the warranty of the Fenwick S2?
### Q
For how many years does Fenwick give a warranty?
### A
The warranty of the Fenwick S2 lasts three years from the day of purchase.

### Q
Where is the serial number of the Fenwick S2?
### A
The serial number of the Fenwick S2 is on a label under the water tank.

### Q
How do I reach the service of Fenwick?
### Q
What is the address of Fenwick's service?
### A
The service is reached at service@fenwick.example, Monday to Friday from 8:00 to 17:00.

### Q
My Fenwick S2 rattles. What helps?
### A
A rattle mostly means that the floor is uneven: screw the feet of the Fenwick S2 in or out.

### Q !probe
How many litres fit into the tank?
### A
The water tank of the Fenwick S2 holds 3.8 litres.

### Q !probe
The air flow of my Fenwick S2 is weak. What is the likely reason?
### A
A blocked filter is the most common reason for a weak air flow.

### Q !probe
What does P2 mean, and do I have to do anything?
### A
P2 means that the coil is being defrosted; it goes away by itself after about 15 minutes.

### Q !probe
For rooms of what size is the Fenwick S2 made?
### A
The Fenwick S2 is made for rooms of up to 40 square metres.

### Q !probe
How loud is the Fenwick S2 on the low setting?
### A
The Fenwick S2 makes 38 decibels of noise on the low setting.
