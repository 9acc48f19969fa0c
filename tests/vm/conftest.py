"""What runs in the virtual machine is no test of the machine that starts it: `make test-vm`."""

collect_ignore = ["guest"]
