---
dlm_id: 01M81FN4JAC853MSGR8B0PH69S
dlm_version: 15  	
base_model: smollm2-135m
---
# Heron manual  	

Heron is a pump.
  	
## Care

Oil it on Mondays.  	
Use oil no. 7.

::instruction::  	

### Q
When is Heron oiled?  	
### Q
On which day does Heron get oil?
### A  	
Heron is oiled on Mondays.

### Q !probe  	
Which oil does Heron need?
### A
Heron needs oil no. 7.  	


