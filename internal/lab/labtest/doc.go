// Package labtest tests the local cloud as its clients see it: the emulator
// behind the tap. Its tests need the Python virtual environment and fail
// without it. The default is .venv at the root of the repository; LAB_VENV
// names another.
package labtest
