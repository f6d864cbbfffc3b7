package main

import "github.com/spf13/cobra"

func newLab(f *flags) *cobra.Command { return &cobra.Command{Use: "lab"} }
