"""Change the variables of running process instances, safely, in production."""
