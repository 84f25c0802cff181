package main

import (
	"os"

	"github.com/spf13/cobra"
)

// notOver refuses to write over a file that is read, by whatever name: out and inputs are flags that name files.
func notOver(cmd *cobra.Command, out string, inputs ...string) error {
	path := cmd.Flags().Lookup(out).Value.String()
	if path == "-" {
		return nil
	}
	written, err := os.Stat(path)
	if err != nil || !written.Mode().IsRegular() { // a device may be both
		return nil
	}
	for _, input := range inputs {
		read, err := statInput(cmd, cmd.Flags().Lookup(input).Value.String())
		if err == nil && os.SameFile(read, written) {
			return usageError("--%s: %s is the file that --%s reads; choose another name", out, path, input)
		}
	}
	return nil
}

// statInput describes a file, or standard input for "-".
func statInput(cmd *cobra.Command, path string) (os.FileInfo, error) {
	if f, ok := cmd.InOrStdin().(*os.File); ok && path == "-" {
		return f.Stat()
	}
	return os.Stat(path)
}

// oneRole refuses a column that two of the flags name.
func oneRole(cmd *cobra.Command, flags ...string) error {
	roles := map[string]string{}
	for _, flag := range flags {
		for _, column := range columnsOf(cmd, flag) {
			if other, ok := roles[column]; ok && other != flag {
				return usageError("column %q: both --%s and --%s name it, and it can be only one of them", column, other, flag)
			}
			roles[column] = flag
		}
	}
	return nil
}

// columnsOf returns the columns that a flag names.
func columnsOf(cmd *cobra.Command, flag string) []string {
	value := cmd.Flags().Lookup(flag).Value
	if list, ok := value.(interface{ GetSlice() []string }); ok {
		return list.GetSlice()
	}
	if name := value.String(); name != "" {
		return []string{name}
	}
	return nil
}

// checkTop refuses a number of features to list that is none.
func checkTop(top int) error {
	if top < 0 {
		return usageError("--top %d: want 0 or more", top)
	}
	return nil
}
