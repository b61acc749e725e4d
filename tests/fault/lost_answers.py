"""A proxy that cuts connections after the gateway wrote and before the client could read: lost
answers of polls, lost frames of WebSockets. Nothing may be lost or doubled by it.

usage: lost_answers.py HOLDLINE FAULT_LOAD CHECKER [LOOPS]"""

import asyncio
import random
import sys
import threading
import time

from gateway import Gateway
from history import Crowd, assert_kept, write_transcript

CUT_ONE_IN = 12
SECONDS = 6


class CuttingProxy(threading.Thread):
    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.port = 0
        self.n_cut = 0
        self.is_cutting = True
        self.random = random.Random(7)
        self.is_ready = threading.Event()
        self.loop = asyncio.new_event_loop()

    def run(self):
        self.loop.run_until_complete(self.listen())
        self.loop.run_forever()

    async def listen(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.is_ready.set()

    async def serve(self, reader, writer):
        try:
            there, to = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, to)
        await asyncio.gather(self.copy(reader, to, ends, False),
                             self.copy(there, writer, ends, True))

    async def copy(self, reader, writer, ends, may_cut):
        try:
            while data := await reader.read(65536):
                if may_cut and self.is_cutting and self.random.randrange(CUT_ONE_IN) == 0:
                    self.n_cut += 1
                    writer.write(data[:self.random.randrange(len(data))])
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        for end in ends:
            end.close()


def main():
    binary, load, checker = sys.argv[1:4]
    loops = sys.argv[4] if len(sys.argv) > 4 else "1"
    with Gateway(binary, loops=loops) as gateway:
        key = gateway.start_with_key()
        proxy = CuttingProxy(gateway.port)
        proxy.start()
        assert proxy.is_ready.wait(5)
        history = gateway.folder / "history.jsonl"
        crowd = Crowd(load, proxy.port, key, history, 40, pause_ms=100)
        try:
            time.sleep(SECONDS)  # the crowd talks through the cuts
            proxy.is_cutting = False
            crowd.finish()
        finally:
            crowd.kill()
        print(f"{proxy.n_cut} answers cut")
        assert proxy.n_cut > 50
        transcript = gateway.folder / "transcript.jsonl"
        write_transcript(gateway, key, history, transcript)
        assert gateway.stop() == 0
        gateway.verify()
        assert_kept(checker, [history], transcript)


main()
