package stack

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// Stage writes the files that are deployed as each function to a folder of its
// name under dir: the binary of that name from binaries, and the completed
// configuration. The written bytes depend only on these two inputs.
//
// Returns an error if a binary is missing or was built for another processor.
func Stage(dir, binaries string, c config.Config, arch Arch) error {
	raw, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", catalog.ConfigFile, err)
	}
	for _, f := range catalog.Binaries() {
		if f == catalog.Auditor && !c.Baseline().Audit.On() {
			continue
		}
		binary, err := os.ReadFile(filepath.Join(binaries, string(f)))
		if err != nil {
			return fmt.Errorf("function %s is not built: run make build (%w)", f, err)
		}
		if err := builtFor(arch, binary); err != nil {
			return fmt.Errorf("function %s: %w", f, err)
		}
		folder := filepath.Join(dir, string(f))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := writeFile(folder, "bootstrap", binary, 0o755); err != nil {
			return err
		}
		if err := writeFile(folder, catalog.ConfigFile, append(raw, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeFile sets the mode regardless of the umask, because Lambda runs the
// files as a user who does not own them.
func writeFile(dir, name string, data []byte, mode fs.FileMode) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func builtFor(arch Arch, binary []byte) error {
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("not a Linux binary: %w", err)
	}
	want := map[Arch]elf.Machine{ARM64: elf.EM_AARCH64, X86: elf.EM_X86_64}[arch]
	if f.Machine != want {
		return fmt.Errorf("built for %v, want %v: run make build with RELIGHT_ARCH=%s", f.Machine, want, arch)
	}
	return nil
}
