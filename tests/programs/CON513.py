import os
import subprocess
import sys
import threading

SCRIPT = "import os; print(os.getsid(0) == os.getpid())"


def serve():
    stirring = threading.Thread(target=print, args=("tea",))
    stirring.start()
    subprocess.run([sys.executable, "-c", SCRIPT], preexec_fn=os.setsid, check=True)
    stirring.join()


serve()
