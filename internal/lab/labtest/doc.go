// Package labtest tests the local cloud as its clients see it: against the
// emulator, behind the tap. Its tests need the Python virtual environment
// and fail without it; LAB_VENV names one in another place than .venv at
// the top of the repository.
package labtest
