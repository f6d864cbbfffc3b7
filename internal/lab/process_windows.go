package lab

import "os/exec"

// Windows has no process groups like those of Unix, and the functions that the emulator
// runs are programs of Linux: there the lab ends only the process itself.

func group(*exec.Cmd) {}

func interrupt(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func kill(cmd *exec.Cmd) error { return cmd.Process.Kill() }
